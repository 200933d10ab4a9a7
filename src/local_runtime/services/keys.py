"""The run's own API key: a new one for each run, for sending and asking."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local_runtime.errors import RunError
from pipeline_api.keys.stored_key import Scope
from pipeline_ops.key_ring import KeyRing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

API_KEY = "INVOICE_API_KEY"
HEADER = "X-Api-Key"


def create_key(dynamodb: "DynamoDBClient", variables: Mapping[str, str]) -> str:
    """The key's text; its hash goes into the table that the functions' variables name."""
    if "KEYS_TABLE" not in variables:
        raise RunError("no function of the template has the environment variable KEYS_TABLE")
    ring = KeyRing(dynamodb, variables["KEYS_TABLE"], lambda: datetime.now(UTC), secrets.token_bytes)
    return ring.create("make run", Scope)
