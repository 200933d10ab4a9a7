"""What each function takes from its environment; template.yaml sets it.

Plain dataclasses: to_s3 has no other use for pydantic, which would be a fifth of its cold start.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TypeVar


class MissingSettingError(Exception):
    """A variable is not set; the message says which."""


@dataclass(frozen=True, slots=True)
class ToS3Settings:
    RAW_BUCKET: str
    METRICS_NAMESPACE: str


@dataclass(frozen=True, slots=True)
class ToDynamodbSettings:
    RAW_BUCKET: str
    INVOICES_TABLE: str
    CUSTOMERS_TABLE: str
    METRICS_NAMESPACE: str


_Settings = TypeVar("_Settings", ToS3Settings, ToDynamodbSettings)


def settings_from(environment: Mapping[str, str], kind: type[_Settings]) -> _Settings:
    """Raises MissingSettingError, which names every variable that is missing or empty and shows no other."""
    names = [field.name for field in fields(kind)]
    if missing := [name for name in names if not environment.get(name)]:
        raise MissingSettingError(f"not set in the environment: {', '.join(missing)}; template.yaml sets them")
    return kind(**{name: environment[name] for name in names})
