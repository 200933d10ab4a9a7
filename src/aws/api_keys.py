"""The table of keys, as far as the API reads it."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias

from aws.errors import translate_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UniversalAttributeValueTypeDef

# The text of an API key, `<id>.<secret>`: the id is public and finds the key, the secret proves it.

_ID_BYTES = 6
_SECRET_BYTES = 32  # 256 random bits: nobody guesses them, so a fast hash keeps them as safe as a slow one
_KEY = re.compile(r"(?P<id>[0-9a-f]{12})\.[A-Za-z0-9_-]{43}\Z")


def generate_key(random_bytes: Callable[[int], bytes]) -> str:
    """`random_bytes` must be fit for secrets: `secrets.token_bytes`."""
    secret = urlsafe_b64encode(random_bytes(_SECRET_BYTES)).rstrip(b"=").decode()
    return f"{random_bytes(_ID_BYTES).hex()}.{secret}"


def parse_key_id(text: str) -> str | None:
    """None where the text does not even look like a key: then nobody needs to be asked."""
    found = _KEY.match(text)
    return found["id"] if found else None


def key_hash(text: str) -> bytes:
    return sha256(text.encode()).digest()


# What is kept of an API key, and how it stands in its table.

Item: TypeAlias = "dict[str, UniversalAttributeValueTypeDef]"
ReadItem: TypeAlias = "Mapping[str, AttributeValueTypeDef]"


class Scope(StrEnum):
    """What a key may be used for."""

    INGEST = "ingest"
    READ = "read"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """Times are ISO 8601 in UTC; `revoked_at` is None for a key that works."""

    key_id: str
    name: str
    scopes: frozenset[str]
    hash: bytes
    created_at: str
    revoked_at: str | None = None


def key_item(key: StoredKey) -> Item:
    item: Item = {
        "KeyId": {"S": key.key_id},
        "Name": {"S": key.name},
        "Scopes": {"SS": sorted(key.scopes)},
        "Hash": {"B": key.hash},
        "CreatedAt": {"S": key.created_at},
    }
    return item if key.revoked_at is None else {**item, "RevokedAt": {"S": key.revoked_at}}


def key_from_item(item: ReadItem) -> StoredKey:
    return StoredKey(
        key_id=item["KeyId"]["S"],
        name=item["Name"]["S"],
        scopes=frozenset(item["Scopes"]["SS"]),
        hash=item["Hash"]["B"],
        created_at=item["CreatedAt"]["S"],
        revoked_at=item["RevokedAt"]["S"] if "RevokedAt" in item else None,
    )


@dataclass(frozen=True, slots=True)
class KeyTable:
    client: "DynamoDBClient"
    name: str

    def find(self, key_id: str) -> StoredKey | None:
        """As it stands now: a read that may be stale would let a revoked key live longer. Raises Retryable."""
        with translate_errors("DynamoDB"):
            answer = self.client.get_item(TableName=self.name, Key={"KeyId": {"S": key_id}}, ConsistentRead=True)
        return key_from_item(answer["Item"]) if "Item" in answer else None
