"""The values of a template, where CloudFormation's short tags stand among ordinary YAML."""

from dataclasses import dataclass
from typing import TypeAlias


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
