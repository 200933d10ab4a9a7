"""template.yaml as typed values."""

from pathlib import Path

import pytest

from local_runtime.errors import RunError
from local_runtime.stack.template import Intrinsic, mapping_at, read_template
from tests.local_runtime.templates import project_template, template_of


def test_a_short_tag_is_kept_as_an_intrinsic(tmp_path: Path) -> None:
    """`!Ref` and its like wait until the names are known."""
    template = template_of(tmp_path, "Resources: {A: {Type: T, Properties: {x: !Ref B, y: !GetAtt B.Arn}}}")
    expected = {"x": Intrinsic("Ref", "B"), "y": Intrinsic("GetAtt", "B.Arn")}
    assert expected == template.resources["A"].properties


def test_a_tag_on_a_list_keeps_the_list(tmp_path: Path) -> None:
    """`!Join` has a list for its argument."""
    template = template_of(tmp_path, "Resources: {A: {Type: T, Properties: {x: !Join ['-', [a, !Ref B]]}}}")
    expected = Intrinsic("Join", ["-", ["a", Intrinsic("Ref", "B")]])
    assert expected == template.resources["A"].properties["x"]


def test_the_projects_template_has_three_tables() -> None:
    """The real file is read, tags and all."""
    tables = [table.name for table in project_template().of_type("AWS::DynamoDB::Table")]
    assert tables == ["InvoicesTable", "CustomersTable", "KeysTable"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not valid YAML"),
        ("just text", "has no Resources"),
        ("Resources: {A: {Properties: {}}}", "the template's resource A has no Type"),
        ("Resources: {A: !If {a: b}}", "is not valid YAML"),
    ],
)
def test_a_fault_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    """Whoever edits the template reads what is wrong, not a traceback."""
    with pytest.raises(RunError, match=message) as caught:
        template_of(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    """Started from another folder, the file is simply not there."""
    with pytest.raises(RunError, match="cannot be read: No such file"):
        read_template(tmp_path / "template.yaml")


def test_a_missing_mapping_is_empty() -> None:
    """Absent properties need no care of the caller's."""
    assert mapping_at({"a": {"b": 1}}, "a", "b", "c") == {}
