"""The table of keys, as far as the API reads it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws.faults import retryable_faults
from pipeline_api.keys.stored_key import StoredKey, key_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class KeyTable:
    client: "DynamoDBClient"
    name: str

    def find(self, key_id: str) -> StoredKey | None:
        """As it stands now: a read that may be stale would let a revoked key live longer. Raises Retryable."""
        with retryable_faults("DynamoDB"):
            answer = self.client.get_item(TableName=self.name, Key={"KeyId": {"S": key_id}}, ConsistentRead=True)
        return key_of(answer["Item"]) if "Item" in answer else None
