"""What CloudFormation gets to see: template.yaml after SAM's transform."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

TEMPLATE = Path(__file__).parent.parent / "template.yaml"


class NoManagedPolicies:
    """The template names none, so nothing has to be asked of AWS."""

    def load(self) -> dict[str, str]:
        return {}


class Transformed(dict[str, Any]):
    """The transformed template, and what its tests ask of it."""

    def of_type(self, kind: str) -> dict[str, Any]:
        return {name: body for name, body in self["Resources"].items() if body["Type"] == kind}

    def statements(self, role: str) -> list[dict[str, Any]]:
        policies = with_everything(self["Resources"][role]["Properties"]["Policies"])
        return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]

    def wildcards(self) -> list[str]:
        """Actions with a star, and resources that are nothing but one."""
        granted = [each for role in self.of_type("AWS::IAM::Role") for each in self.statements(role)]
        actions = [action for statement in granted for action in listed(statement["Action"]) if "*" in action]
        return actions + [each for statement in granted for each in listed(statement["Resource"]) if each == "*"]


def with_everything(value: Any) -> Any:
    """The value as it is where every condition is met."""
    match value:
        case {"Fn::If": [_, then, _]}:
            return with_everything(then)
        case dict():
            return {name: with_everything(each) for name, each in value.items()}
        case list():
            return [with_everything(each) for each in value]
        case _:
            return value


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


class _Loader(yaml.CSafeLoader):
    """Knows SAM's tags, as its own loader does, and is compiled."""


@cache
def transformed() -> Transformed:
    """SAM's transform, which asks boto3 for a region but calls nobody. Made once for a process; nobody changes it."""
    # SAM takes 0.4 s to import, in each process that collects the tests.
    from samtranslator.translator.transform import transform  # noqa: PLC0415
    from samtranslator.yaml_helper import intrinsics_multi_constructor  # noqa: PLC0415

    _Loader.add_multi_constructor("!", intrinsics_multi_constructor)
    template = yaml.load(TEMPLATE.read_text(), _Loader)  # noqa: S506 - a SafeLoader with SAM's tags
    template["Globals"]["Function"]["CodeUri"] = "s3://artifacts/code.zip"  # as `sam package` leaves it
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        return Transformed(transform(template, {}, NoManagedPolicies()))
