"""What each function takes from its environment; template.yaml sets it."""

import os

from pydantic import BaseModel, ConfigDict


class _Settings(BaseModel):
    # The environment holds credentials: an error names the variable and never shows what is set.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class ToS3Settings(_Settings):
    RAW_BUCKET: str
    METRICS_NAMESPACE: str


class ToDynamodbSettings(_Settings):
    RAW_BUCKET: str
    INVOICES_TABLE: str
    CUSTOMERS_TABLE: str
    METRICS_NAMESPACE: str


def to_s3_settings() -> ToS3Settings:
    """Raises pydantic's ValidationError, which names the variable that is missing."""
    return ToS3Settings.model_validate(dict(os.environ))


def to_dynamodb_settings() -> ToDynamodbSettings:
    """Raises pydantic's ValidationError, which names the variable that is missing."""
    return ToDynamodbSettings.model_validate(dict(os.environ))
