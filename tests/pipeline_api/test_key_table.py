"""The table of keys, as the API reads it."""

from typing import TYPE_CHECKING

import pytest

from aws.api_keys import KeyTable, StoredKey, key_item
from invoices.errors import Throttled
from tests.pipeline_api.test_faults import answering

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = StoredKey("0123456789ab", "somebody", frozenset({"read"}), b"hash", "2026-11-22T11:00:00+00:00")


@pytest.fixture
def table(dynamodb: "DynamoDBClient") -> KeyTable:
    dynamodb.create_table(
        TableName="keys",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "KeyId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "KeyId", "AttributeType": "S"}],
    )
    return KeyTable(dynamodb, "keys")


def test_a_key_is_found_by_its_id(table: KeyTable) -> None:
    """As it was stored; and no other is."""
    table.client.put_item(TableName="keys", Item=key_item(KEY))
    assert (table.find("0123456789ab"), table.find("ba9876543210")) == (KEY, None)


def test_a_throttled_table_is_told_as_such(table: KeyTable) -> None:
    """The caller comes again, and is not called a stranger."""
    with answering(table.client, 400, "ThrottlingException"), pytest.raises(Throttled):
        table.find("0123456789ab")
