"""template.yaml as typed values, with parameters and references replaced."""

from pathlib import Path

import pytest

from local_runtime.errors import RunError
from local_runtime.stack.template import (
    Intrinsic,
    PhysicalNames,
    Properties,
    mapping_at,
    physical_names,
    read_template,
)
from tests.local_runtime.templates import project_template, template_of

CHOICES = """
Parameters:
  Mode: {Type: String, Default: FIXED}
  Count: {Type: Number, Default: 3}
Conditions:
  IsFixed: !Equals [!Ref Mode, FIXED]
  IsNone: !Equals [!Ref Count, 0]
  IsSome: !Not [!Equals [!Ref Count, 0]]
  IsFar: !Or [a, b]
"""


def properties_of(folder: Path, text: str) -> Properties:
    resources = f"Resources: {{A: {{Type: T, Properties: {text}}}}}"
    return template_of(folder, f"{CHOICES}\n{resources}").resources["A"].properties


@pytest.fixture
def physical() -> PhysicalNames:
    return physical_names(project_template())


def test_the_projects_template_has_four_tables() -> None:
    """The real file is read, tags included."""
    tables = [table.name for table in project_template().of_type("AWS::DynamoDB::Table")]
    assert tables == ["InvoicesTable", "CustomersTable", "BatchesTable", "KeysTable"]


def test_a_short_tag_is_kept_as_an_intrinsic(tmp_path: Path) -> None:
    """`!Ref` and `!GetAtt` are resolved later, when the names are known."""
    expected = {"x": Intrinsic("Ref", "B"), "y": Intrinsic("GetAtt", "B.Arn")}
    assert expected == properties_of(tmp_path, "{x: !Ref B, y: !GetAtt B.Arn}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not valid YAML"),
        ("just text", "has no Resources"),
        ("Resources: {A: {Properties: {}}}", "the template's resource A has no Type"),
        ("Resources: {A: !If {a: b}}", "is not valid YAML"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    """The author of the template reads what is wrong, not a traceback."""
    with pytest.raises(RunError, match=message) as caught:
        template_of(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    """The command may have been started in another folder."""
    with pytest.raises(RunError, match="cannot be read: No such file"):
        read_template(tmp_path / "template.yaml")


def test_a_missing_mapping_is_empty() -> None:
    """Callers need not check for absent properties."""
    assert mapping_at({"a": {"b": 1}}, "a", "b", "c") == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{x: !Ref Mode, y: [!Ref Count]}", {"x": "FIXED", "y": [3]}),
        ("{x: !If [IsFixed, {y: !Ref Count}, 2]}", {"x": {"y": 3}}),
        ("{x: !If [IsNone, 1, !Ref AWS::NoValue], y: 2}", {"y": 2}),
        ("{x: !If [IsSome, 1, 2]}", {"x": 1}),
        ("{x: !Join [-, [!Ref Mode]]}", {"x": Intrinsic("Join", ["-", ["FIXED"]])}),
    ],
)
def test_parameters_have_their_defaults(tmp_path: Path, text: str, expected: Properties) -> None:
    """A property without a value is left out. Other intrinsics stay, with their arguments replaced."""
    assert expected == properties_of(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{x: !If [IsFar, 1, 2]}", "cannot test the template's condition IsFar"),
        ("{x: !If [Unknown, 1, 2]}", "uses the condition Unknown"),
    ],
)
def test_a_condition_that_cannot_be_tested_is_named(tmp_path: Path, text: str, message: str) -> None:
    """A guess could create the wrong resources."""
    with pytest.raises(RunError, match=message):
        properties_of(tmp_path, text)


def test_the_projects_tables_are_on_demand_by_default() -> None:
    """The laptop creates what a deployment with default parameters gets."""
    tables = project_template().of_type("AWS::DynamoDB::Table")
    assert [(table.properties["BillingMode"], "ProvisionedThroughput" in table.properties) for table in tables] == [
        ("PAY_PER_REQUEST", False)
    ] * 4


def test_names_are_made_of_stack_and_logical_id(physical: PhysicalNames) -> None:
    """As CloudFormation makes them; a bucket's name in lower case."""
    assert (physical.names["Stream"], physical.names["RawBucket"]) == ("local-Stream", "local-rawbucket")


def test_a_name_in_the_template_wins(tmp_path: Path) -> None:
    """The template is the only place where names are set."""
    template = template_of(tmp_path, "Resources: {T: {Type: AWS::DynamoDB::Table, Properties: {TableName: mine}}}")
    assert physical_names(template).names == {"T": "mine"}


def test_another_stack_has_other_names() -> None:
    """So two of them share one engine."""
    other, local = physical_names(project_template(), "other"), physical_names(project_template())
    assert other.names["RawBucket"] == "other-rawbucket"
    assert not {*other.names.values(), *other.arns.values()} & {*local.names.values(), *local.arns.values()}


@pytest.mark.parametrize(
    ("intrinsic", "expected"),
    [
        (Intrinsic("Ref", "InvoicesTable"), "local-InvoicesTable"),
        (Intrinsic("Ref", "AWS::Region"), "us-east-1"),
        (Intrinsic("GetAtt", "RawBucket.Arn"), "arn:aws:s3:::local-rawbucket"),
        (Intrinsic("GetAtt", "Stream.Arn"), "arn:aws:kinesis:us-east-1:000000000000:stream/local-Stream"),
        (
            Intrinsic("Sub", "${RawBucket.Arn}/raw/${!x}/${Stream}"),
            "arn:aws:s3:::local-rawbucket/raw/${x}/local-Stream",
        ),
    ],
)
def test_an_intrinsic_becomes_a_name(physical: PhysicalNames, intrinsic: Intrinsic, expected: str) -> None:
    """A name, an ARN, or a text that contains either."""
    assert expected == physical.resolve(intrinsic)


def test_intrinsics_inside_lists_and_mappings_are_resolved(physical: PhysicalNames) -> None:
    """The properties of an event contain them at any depth."""
    assert physical.resolve({"a": [{"b": Intrinsic("Ref", "Stream")}, 1]}) == {"a": [{"b": "local-Stream"}, 1]}


@pytest.mark.parametrize(
    "intrinsic",
    [Intrinsic("Ref", "Nobody"), Intrinsic("GetAtt", "Stream.Size"), Intrinsic("If", ["a", "b", "c"])],
)
def test_an_intrinsic_without_a_value_is_an_error(physical: PhysicalNames, intrinsic: Intrinsic) -> None:
    """Otherwise a function would get `!Ref Nobody` as a table's name."""
    with pytest.raises(RunError, match="the template"):
        physical.resolve(intrinsic)
