"""What the API must be told by its environment."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_Name = Annotated[str, Field(min_length=1)]


class MissingSettingError(Exception):
    """A variable is not set as it should be; the message says which, and where to get it."""


class Settings(BaseModel):
    """The names of the stream, the tables and the metrics, and whether the docs need a key (`closed`) or not (`open`).

    Endpoint and region are boto3's own variables.
    """

    model_config = ConfigDict(frozen=True)

    stream_name: Annotated[_Name, Field(alias="STREAM_NAME")]
    invoices_table: Annotated[_Name, Field(alias="INVOICES_TABLE")]
    customers_table: Annotated[_Name, Field(alias="CUSTOMERS_TABLE")]
    keys_table: Annotated[_Name, Field(alias="KEYS_TABLE")]
    metrics_namespace: Annotated[_Name, Field(alias="METRICS_NAMESPACE")]
    docs_access: Annotated[Literal["open", "closed"], Field(alias="DOCS_ACCESS")]


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Raises MissingSettingError with one sentence that names what is missing."""
    try:
        return Settings.model_validate(environment)
    except ValidationError as error:
        raise MissingSettingError(_sentence([str(detail["loc"][0]) for detail in error.errors()])) from None


def _sentence(names: list[str]) -> str:
    verb = "is" if len(names) == 1 else "are"
    return (
        f"{' and '.join(names)} {verb} not set in the environment, or not to a value that is known: "
        "`make run` writes every variable that the API needs to .local/env, and template.yaml sets them on Lambda."
    )
