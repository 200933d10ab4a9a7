"""template.yaml says what AWS accepts, before and after SAM's transform."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).parent.parent / "template.yaml"


class NoManagedPolicies:
    """The template names none, so nothing has to be asked of AWS."""

    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture
def transformed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What CloudFormation gets to see."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    template = yaml_parse(TEMPLATE.read_text())
    template["Globals"]["Function"]["CodeUri"] = "s3://artifacts/code.zip"  # as `sam package` leaves it
    result: dict[str, Any] = transform(template, {}, NoManagedPolicies())
    return result


def lint(path: Path) -> tuple[int, str]:
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    command: list[str | Path] = [cfn_lint, "--non-zero-exit-code", "informational", path]
    finished = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return finished.returncode, finished.stdout


def test_the_template_has_no_fault() -> None:
    """Warnings count."""
    assert lint(TEMPLATE) == (0, "")


def test_the_transformed_template_has_no_fault(transformed: dict[str, Any], tmp_path: Path) -> None:
    """Most faults show only here."""
    path = tmp_path / "transformed.json"
    path.write_text(json.dumps(transformed))
    assert lint(path) == (0, "")


@pytest.mark.parametrize("function", ["ToS3Function", "ToDynamodbFunction"])
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("FunctionResponseTypes", ["ReportBatchItemFailures"]),
        ("BisectBatchOnFunctionError", True),
        ("StartingPosition", "TRIM_HORIZON"),
    ],
)
def test_no_failure_setting_is_left_to_its_default(
    transformed: dict[str, Any], function: str, setting: str, value: object
) -> None:
    """Without the first, Lambda ignores the answer and loses rows in silence."""
    assert transformed["Resources"][f"{function}Stream"]["Properties"][setting] == value


@pytest.mark.parametrize("function", ["ToS3Function", "ToDynamodbFunction"])
def test_a_record_is_given_up_before_the_stream_forgets_it(transformed: dict[str, Any], function: str) -> None:
    """So that it reaches the on-failure destination, which keeps its data."""
    mapping = transformed["Resources"][f"{function}Stream"]["Properties"]
    kept_hours = transformed["Resources"]["Stream"]["Properties"]["RetentionPeriodHours"]
    assert 0 < mapping["MaximumRecordAgeInSeconds"] < kept_hours * 3600
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": ["RawBucket", "Arn"]}}}
