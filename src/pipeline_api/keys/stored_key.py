"""What is kept of an API key, and how it stands in its table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UniversalAttributeValueTypeDef

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


def item_of(key: StoredKey) -> Item:
    item: Item = {
        "KeyId": {"S": key.key_id},
        "Name": {"S": key.name},
        "Scopes": {"SS": sorted(key.scopes)},
        "Hash": {"B": key.hash},
        "CreatedAt": {"S": key.created_at},
    }
    return item if key.revoked_at is None else {**item, "RevokedAt": {"S": key.revoked_at}}


def key_of(item: ReadItem) -> StoredKey:
    return StoredKey(
        key_id=item["KeyId"]["S"],
        name=item["Name"]["S"],
        scopes=frozenset(item["Scopes"]["SS"]),
        hash=item["Hash"]["B"],
        created_at=item["CreatedAt"]["S"],
        revoked_at=item["RevokedAt"]["S"] if "RevokedAt" in item else None,
    )
