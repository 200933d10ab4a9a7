"""template.yaml as typed values, with every parameter at its default.

CloudFormation's other short tags are kept as intrinsics until somebody resolves them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from local_runtime.errors import RunError
from local_runtime.stack.defaults import at_defaults
from local_runtime.stack.intrinsic import Intrinsic, Properties, Value, mapping_at

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
