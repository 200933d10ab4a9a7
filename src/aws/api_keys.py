"""API keys: their text, what is stored of them, and the table that holds it.

A key is `<id>.<secret>`. The id is public and finds the key; the secret proves that the caller holds it. The table
keeps only a hash of the whole text. The last four digits of an id are a checksum of the others, so that a mistyped or
random id costs no read of the table (it is no secret: anybody can compute it). Ids of keys from before the checksum
have twelve digits and none.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING

from aws.errors import translate_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from aws.items import Item, ReadItem

KEY_CACHE_SECONDS = 60.0
"""Each container of the API reads a key once in this time, so a revoked key stops working within it."""

_ID_BYTES = 6
_CHECKSUM_BYTES = 2
_SECRET_BYTES = 32  # nobody can guess 256 random bits, so a fast hash protects them as well as a slow one
_KEY = re.compile(r"(?P<id>(?P<random>[0-9a-f]{12})(?P<checksum>[0-9a-f]{4})?)\.[A-Za-z0-9_-]{43}\Z")


class Scope(StrEnum):
    """What a key may be used for."""

    INGEST = "ingest"
    READ = "read"
    CORRECT = "correct"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """Times are ISO 8601 in UTC; `revoked_at` is None for a key that works."""

    key_id: str
    name: str
    scopes: frozenset[str]
    hash: bytes
    created_at: str
    revoked_at: str | None = None


@dataclass(frozen=True, slots=True)
class KeyTable:
    """The API's view of the table: it reads one key at a time."""

    client: "DynamoDBClient"
    name: str

    def find(self, key_id: str) -> StoredKey | None:
        """Read consistently, or a revoked key would work longer. Raises Retryable."""
        with translate_errors("DynamoDB"):
            response = self.client.get_item(TableName=self.name, Key={"KeyId": {"S": key_id}}, ConsistentRead=True)
        return key_from_item(response["Item"]) if "Item" in response else None


def generate_key(random_bytes: Callable[[int], bytes]) -> str:
    """The text of a new key. `random_bytes` must be fit for secrets: `secrets.token_bytes`."""
    secret = urlsafe_b64encode(random_bytes(_SECRET_BYTES)).rstrip(b"=").decode()
    random = random_bytes(_ID_BYTES).hex()
    return f"{random}{_checksum(random)}.{secret}"


def parse_key_id(text: str) -> str | None:
    """None where the text does not have the form of a key, or its checksum is wrong: no table has to be asked."""
    match = _KEY.match(text)
    if match is None or match["checksum"] not in {None, _checksum(match["random"])}:
        return None
    return match["id"]


def _checksum(random: str) -> str:
    return blake2b(random.encode(), digest_size=_CHECKSUM_BYTES).hexdigest()


def key_hash(text: str) -> bytes:
    """The hash that is stored and compared, of the key's whole text."""
    return sha256(text.encode()).digest()


def key_item(key: StoredKey) -> "Item":
    item: Item = {
        "KeyId": {"S": key.key_id},
        "Name": {"S": key.name},
        "Scopes": {"SS": sorted(key.scopes)},
        "Hash": {"B": key.hash},
        "CreatedAt": {"S": key.created_at},
    }
    return item if key.revoked_at is None else {**item, "RevokedAt": {"S": key.revoked_at}}


def key_from_item(item: "ReadItem") -> StoredKey:
    return StoredKey(
        key_id=item["KeyId"]["S"],
        name=item["Name"]["S"],
        scopes=frozenset(item["Scopes"]["SS"]),
        hash=item["Hash"]["B"],
        created_at=item["CreatedAt"]["S"],
        revoked_at=item["RevokedAt"]["S"] if "RevokedAt" in item else None,
    )
