"""Parameters at their defaults, branches taken."""

from pathlib import Path

import pytest

from local_runtime.errors import RunError
from local_runtime.stack.template import Intrinsic, Properties
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
    return (
        template_of(folder, f"{CHOICES}\nResources: {{A: {{Type: T, Properties: {text}}}}}").resources["A"].properties
    )


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
def test_parameters_stand_at_their_defaults(tmp_path: Path, text: str, expected: Properties) -> None:
    """A property without a value is left out; an intrinsic of another kind stays, with its argument replaced."""
    assert expected == properties_of(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{x: !If [IsFar, 1, 2]}", "the template's condition IsFar is not one"),
        ("{x: !If [Unknown, 1, 2]}", "asks for the condition Unknown"),
    ],
)
def test_a_condition_that_cannot_be_tested_is_named(tmp_path: Path, text: str, message: str) -> None:
    """Rather than guessed."""
    with pytest.raises(RunError, match=message):
        properties_of(tmp_path, text)


def test_the_projects_tables_are_on_demand_by_default() -> None:
    """What the laptop creates is what a deployment without a choice gets."""
    tables = project_template().of_type("AWS::DynamoDB::Table")
    assert [(table.properties["BillingMode"], "ProvisionedThroughput" in table.properties) for table in tables] == [
        ("PAY_PER_REQUEST", False)
    ] * 3
