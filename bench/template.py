"""What template.yaml says, as far as the measurements need it."""

from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[1] / "template.yaml"


def template_resources() -> dict[str, dict[str, Any]]:
    resources: dict[str, dict[str, Any]] = _document()["Resources"]
    return resources


def variables_of(function: str) -> list[str]:
    """The environment variables that a function gets, of its own and from Globals."""
    shared = _document()["Globals"]["Function"].get("Environment", {"Variables": {}})
    return [*shared["Variables"], *template_resources()[function]["Properties"]["Environment"]["Variables"]]


def template_default(parameter: str) -> float:
    """A number among the parameters."""
    return float(_document()["Parameters"][parameter]["Default"])


def _document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)  # noqa: S506 - a SafeLoader
    return document


class _Loader(yaml.SafeLoader):
    """Takes CloudFormation's own tags for what they stand on."""


def _plain(loader: _Loader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node)
    return loader.construct_mapping(node) if isinstance(node, yaml.MappingNode) else None


_Loader.add_multi_constructor("!", _plain)
