"""What the template's references stand for."""

from pathlib import Path

import pytest

from local_runtime.errors import RunError
from local_runtime.stack.resources import Physical, physical_names
from local_runtime.stack.template import Intrinsic
from tests.local_runtime.templates import project_template, template_of


@pytest.fixture
def physical() -> Physical:
    return physical_names(project_template())


def test_names_are_made_of_stack_and_logical_id(physical: Physical) -> None:
    """As CloudFormation makes them; a bucket's in lower case."""
    assert (physical.names["Stream"], physical.names["RawBucket"]) == ("local-Stream", "local-rawbucket")


def test_a_name_in_the_template_wins(tmp_path: Path) -> None:
    """Nothing in Python knows better."""
    template = template_of(tmp_path, "Resources: {T: {Type: AWS::DynamoDB::Table, Properties: {TableName: mine}}}")
    assert physical_names(template).names == {"T": "mine"}


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
def test_an_intrinsic_becomes_a_name(physical: Physical, intrinsic: Intrinsic, expected: str) -> None:
    """Names, ARNs and texts with either of them inside."""
    assert expected == physical.resolve(intrinsic)


def test_intrinsics_inside_lists_and_mappings_are_found(physical: Physical) -> None:
    """An event's properties hold them deep inside."""
    assert physical.resolve({"a": [{"b": Intrinsic("Ref", "Stream")}, 1]}) == {"a": [{"b": "local-Stream"}, 1]}


@pytest.mark.parametrize(
    "intrinsic",
    [Intrinsic("Ref", "Nobody"), Intrinsic("GetAtt", "Stream.Size"), Intrinsic("If", ["a", "b", "c"])],
)
def test_what_cannot_be_resolved_is_an_error(physical: Physical, intrinsic: Intrinsic) -> None:
    """Better than a function that gets `!Ref Nobody` for a table's name."""
    with pytest.raises(RunError, match="the template"):
        physical.resolve(intrinsic)
