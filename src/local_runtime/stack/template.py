"""template.yaml as typed values, with every parameter at its default.

CloudFormation's other short tags are kept as intrinsics until somebody resolves them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from local_runtime.errors import RunError

# The values of a template, where CloudFormation's short tags stand among ordinary YAML.


@dataclass(frozen=True)
class Intrinsic:
    """`!Ref Stream` is Intrinsic("Ref", "Stream")."""

    function: str
    argument: "Value"


Value: TypeAlias = "str | int | float | bool | Intrinsic | list[Value] | Properties | None"
Properties: TypeAlias = dict[str, "Value"]


def mapping_at(properties: Properties, *names: str) -> Properties:
    """The mapping under these names, one inside the other; empty where there is none."""
    for name in names:
        inner = properties.get(name)
        properties = inner if isinstance(inner, dict) else {}
    return properties


# A template as it is with every parameter at its default: no `!Ref` to a parameter and no `!If` is left.

_NO_VALUE = Intrinsic("Ref", "AWS::NoValue")


def at_defaults(content: Properties) -> Properties:
    """Raises RunError for a condition that is made of anything but parameters, `!Equals` and `!Not`."""
    parameters = {name: body["Default"] for name, body in _bodies(content, "Parameters") if "Default" in body}
    choice = _Choice(parameters, mapping_at(content, "Conditions"))
    return {name: choice.made_in(part) for name, part in content.items() if name not in {"Parameters", "Conditions"}}


def _bodies(content: Properties, part: str) -> list[tuple[str, Properties]]:
    return [(name, body) for name, body in mapping_at(content, part).items() if isinstance(body, dict)]


@dataclass(frozen=True)
class _Choice:
    parameters: Mapping[str, Value]
    conditions: Properties

    def made_in(self, value: Value) -> Value:
        """The value with parameters and branches replaced; what has no value is left out of its mapping."""
        match value:
            case Intrinsic("Ref", str(name)) if name in self.parameters:
                return self.parameters[name]
            case Intrinsic("If", [str(condition), then, otherwise]):
                return self.made_in(then if self._holds(condition) else otherwise)
            case Intrinsic(function, argument):
                return Intrinsic(function, self.made_in(argument))
            case dict():
                made = {name: self.made_in(each) for name, each in value.items()}
                return {name: each for name, each in made.items() if each != _NO_VALUE}
            case list():
                return [self.made_in(each) for each in value]
            case _:
                return value

    def _holds(self, condition: str) -> bool:
        if condition not in self.conditions:
            raise RunError(f"the template asks for the condition {condition}, which it does not have")
        return self._is_true(self.conditions[condition], condition)

    def _is_true(self, test: Value, condition: str) -> bool:
        match test:
            case Intrinsic("Equals", [one, other]):
                return str(self.made_in(one)) == str(self.made_in(other))  # CloudFormation compares texts
            case Intrinsic("Not", [inner]):
                return not self._is_true(inner, condition)
            case _:
                raise RunError(f"the template's condition {condition} is not one that the local runtime can test")


__all__ = ["Intrinsic", "Properties", "Resource", "Template", "Value", "mapping_at", "read_template"]


@dataclass(frozen=True)
class Resource:
    name: str
    type: str
    properties: Properties


@dataclass(frozen=True)
class Template:
    resources: Mapping[str, Resource]
    globals: Properties

    def of_type(self, kind: str) -> list[Resource]:
        return [resource for resource in self.resources.values() if resource.type == kind]


def read_template(path: Path) -> Template:
    """Raises RunError where the file is missing, is no YAML, has no resources or a condition we cannot test."""
    try:
        content: Value = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader with our tags
    except OSError as error:
        raise RunError(f"the template {path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise RunError(f"the template {path} is not valid YAML: {_on_one_line(error)}") from error
    if not isinstance(content, dict) or not isinstance(content.get("Resources"), dict):
        raise RunError(f"the template {path} has no Resources")
    chosen = at_defaults(content)
    return Template(
        resources={name: _resource(name, body) for name, body in mapping_at(chosen, "Resources").items()},
        globals=mapping_at(chosen, "Globals"),
    )


def _resource(name: str, body: Value) -> Resource:
    if not isinstance(body, dict) or not isinstance(kind := body.get("Type"), str):
        raise RunError(f"the template's resource {name} has no Type")
    return Resource(name, kind, mapping_at(body, "Properties"))


def _on_one_line(error: yaml.YAMLError) -> str:
    return " ".join(str(error).split())


class _Loader(yaml.SafeLoader):
    """A safe loader that knows CloudFormation's tags."""


def _intrinsic(loader: _Loader, function: str, node: yaml.Node) -> Intrinsic:
    match node:
        case yaml.ScalarNode():
            return Intrinsic(function, str(node.value))
        case yaml.SequenceNode():
            return Intrinsic(function, loader.construct_sequence(node, deep=True))
        case _:
            raise yaml.constructor.ConstructorError(None, None, f"!{function} on a mapping", node.start_mark)


_Loader.add_multi_constructor("!", _intrinsic)
