"""A key for a proof, made as an operator makes one."""

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aws.api_keys import Scope
from pipeline_ops.api_keys import KeyRing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def new_api_key(dynamodb: "DynamoDBClient", table: str) -> str:
    """It may ingest and read."""
    ring = KeyRing(dynamodb, table, now=lambda: datetime.now(UTC), random_bytes=secrets.token_bytes)
    return ring.create("proof", Scope)
