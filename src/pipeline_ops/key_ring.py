"""Every API key of a deployment: made, listed and revoked."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from aws.faults import error_code, retryable_faults
from pipeline_api.keys.key_text import hash_of, key_id_in, new_key_text
from pipeline_api.keys.stored_key import Scope, StoredKey, item_of, key_of
from pipeline_ops.errors import OpsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class KeyRing:
    """`now` tells the time in UTC; `random_bytes` must be fit for secrets."""

    dynamodb: "DynamoDBClient"
    table: str
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]

    def create(self, name: str, scopes: Iterable[Scope]) -> str:
        """The key's text. It is kept nowhere: what is stored is its hash."""
        text = new_key_text(self.random_bytes)
        key = StoredKey(key_id_in(text) or "", name, frozenset(scopes), hash_of(text), self._time())
        with retryable_faults("DynamoDB"):
            self.dynamodb.put_item(
                TableName=self.table, Item=item_of(key), ConditionExpression="attribute_not_exists(KeyId)"
            )
        return text

    def all(self) -> list[StoredKey]:
        """The oldest first, revoked ones too."""
        with retryable_faults("DynamoDB"):
            pages = list(self.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True))
        keys = [key_of(item) for page in pages for item in page["Items"]]
        return sorted(keys, key=lambda key: (key.created_at, key.key_id))

    def revoke(self, key_id: str) -> None:
        """Done again, it keeps the first time. Raises OpsError where there is no such key."""
        with retryable_faults("DynamoDB"), _missing_told(key_id):
            self.dynamodb.update_item(
                TableName=self.table,
                Key={"KeyId": {"S": key_id}},
                UpdateExpression="SET RevokedAt = if_not_exists(RevokedAt, :now)",
                ConditionExpression="attribute_exists(KeyId)",
                ExpressionAttributeValues={":now": {"S": self._time()}},
            )

    def _time(self) -> str:
        return self.now().isoformat(timespec="seconds")


@contextmanager
def _missing_told(key_id: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error_code(error) == "ConditionalCheckFailedException":
            raise OpsError(f"There is no key {key_id}.") from error
        raise
