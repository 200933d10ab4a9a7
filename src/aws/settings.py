"""How a Lambda entry reads its names from the environment.

Plain dataclasses instead of pydantic: `to_s3` has no other use for pydantic, which would add a fifth to its cold start.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Literal, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SettingsT = TypeVar("SettingsT", bound="DataclassInstance")


class MissingSettingError(Exception):
    """A variable is not set; the message names it and says where to get it."""


def read_settings(environment: Mapping[str, str], kind: type[SettingsT]) -> SettingsT:
    """Fill each field of the dataclass `kind` from the variable of the same name.

    Raises MissingSettingError, which names every variable that is missing, empty or not one of its `Literal` values.
    The message shows no value. A field with a default may be missing.
    """
    allowed = {name: get_args(hint) for name, hint in get_type_hints(kind).items() if get_origin(hint) is Literal}
    given = {field.name: environment[field.name] for field in fields(kind) if environment.get(field.name)}
    required = [field.name for field in fields(kind) if field.default is MISSING]
    wrong = [name for name, text in given.items() if name in allowed and text not in allowed[name]]
    names = [field.name for field in fields(kind)]
    if missing := [name for name in names if name in wrong or (name in required and name not in given)]:
        raise MissingSettingError(_message(missing))
    return kind(**given)


def _message(names: list[str]) -> str:
    verb = "is" if len(names) == 1 else "are"
    return (
        f"{' and '.join(names)} {verb} not set in the environment, or not to a known value: "
        "`make run` writes every variable to .local/env, and template.yaml sets them on Lambda."
    )
