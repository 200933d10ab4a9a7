"""How a Lambda entry reads its settings from the environment.

A settings class is a plain dataclass and no pydantic model: `to_s3` uses nothing else of pydantic, which would add a
fifth to its cold start.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Literal, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SettingsT = TypeVar("SettingsT", bound="DataclassInstance")


class MissingSettingError(Exception):
    """A variable is missing or has an unknown value; the message names it and says where to get it."""


def read_settings(environment: Mapping[str, str], kind: type[SettingsT]) -> SettingsT:
    """Fill each field of the dataclass `kind`, all of them text, from the variable of the same name.

    A variable is required unless its field has a default. Raises MissingSettingError, which names every variable that
    is missing, empty or not one of its `Literal` values, and shows no value.
    """
    values = {field.name: environment[field.name] for field in fields(kind) if environment.get(field.name)}
    required = {field.name for field in fields(kind) if field.default is MISSING}
    literals = {name: get_args(hint) for name, hint in get_type_hints(kind).items() if get_origin(hint) is Literal}
    unknown = {name for name, value in values.items() if value not in literals.get(name, (value,))}
    wrong = [field.name for field in fields(kind) if field.name in (required - values.keys()) | unknown]
    if wrong:
        raise MissingSettingError(
            f"{' and '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} not set in the environment, or not to a known "
            "value. `make run` writes every variable to .local/env, and template.yaml sets them on Lambda."
        )
    return kind(**values)
