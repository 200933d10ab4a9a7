"""The text of a key, its item, and the table."""

import secrets
from typing import TYPE_CHECKING

import pytest
from botocore.stub import Stubber

from aws.api_keys import KeyTable, StoredKey, generate_key, key_from_item, key_hash, key_item, parse_key_id
from invoices.errors import Throttled
from tests.conftest import create_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CREATED_AT = "2026-11-22T11:00:00+00:00"
REVOKED_AT = "2026-11-22T12:00:00+00:00"
KEY = StoredKey("0123456789ab", "somebody", frozenset({"read"}), b"hash", CREATED_AT)


@pytest.fixture
def table(dynamodb: "DynamoDBClient") -> KeyTable:
    create_table(dynamodb, "keys", "KeyId")
    return KeyTable(dynamodb, "keys")


def test_no_two_keys_share_an_id_or_a_secret() -> None:
    """The id can be read from the key; the secret cannot be read from its hash."""
    one, other = (generate_key(secrets.token_bytes) for _ in range(2))
    (one_id, one_secret), (other_id, other_secret) = (key.split(".") for key in (one, other))
    assert parse_key_id(one) == one_id
    assert len({one_id, other_id, one_secret, other_secret}) == 4
    assert one_secret.encode() not in key_hash(one)


def test_an_id_with_a_wrong_checksum_is_no_id() -> None:
    """Of 65,536 ids that somebody makes up, one is looked up. A key from before the checksum goes on working."""
    key = generate_key(lambda size: bytes(range(size)))
    key_id, secret = key.split(".")
    made_up = [f"{key_id[:12]}{number:04x}.{secret}" for number in range(1 << 16)]
    assert [text for text in made_up if parse_key_id(text)] == [key]
    assert parse_key_id(f"0123456789ab.{secret}") == "0123456789ab"


@pytest.mark.parametrize("revoked_at", [None, REVOKED_AT])
def test_an_item_gives_back_its_key(revoked_at: str | None) -> None:
    """A key that was revoked keeps the time."""
    key = StoredKey("0123456789ab", "somebody", frozenset({"ingest", "read"}), b"hash", CREATED_AT, revoked_at)
    assert key_from_item(key_item(key)) == key


def test_a_key_is_found_by_its_id(table: KeyTable) -> None:
    """An unknown id finds nothing."""
    table.client.put_item(TableName="keys", Item=key_item(KEY))
    assert (table.find("0123456789ab"), table.find("ba9876543210")) == (KEY, None)


def test_a_throttled_read_raises_throttled(table: KeyTable) -> None:
    """The caller can then answer "try again" instead of "unknown key"."""
    with Stubber(table.client) as stub:
        stub.add_client_error("get_item", "ThrottlingException", http_status_code=400)
        with pytest.raises(Throttled):
            table.find("0123456789ab")
