"""How large an item counts in DynamoDB, and what writing it costs.

AWS, "DynamoDB item sizes and formats": names and texts count their UTF-8 bytes, a number a byte for two digits and one
more, a map or list three bytes and one for each element. A write unit pays for 1 KB.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

WRITE_UNIT_BYTES = 1024
STORED_ITEM_OVERHEAD_BYTES = 100
"""What DynamoDB adds to each item it bills storage for."""

_CONTAINER_BYTES = 3


def item_bytes(item: "Mapping[str, AttributeValueTypeDef]") -> int:
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def write_units(size: int) -> int:
    """A put of an item, or an update that leaves or finds it, at this many bytes."""
    return max(1, -(-size // WRITE_UNIT_BYTES))


def value_bytes(value: "AttributeValueTypeDef") -> int:
    """Texts, numbers, lists, maps, truth and null: what this pipeline and its rivals write."""
    if "S" in value:
        return len(value["S"].encode())
    if "N" in value:
        return _number_bytes(value["N"])
    if "L" in value:
        return _CONTAINER_BYTES + sum(1 + value_bytes(each) for each in value["L"])
    if "M" in value:
        return _CONTAINER_BYTES + sum(1 + len(name.encode()) + value_bytes(each) for name, each in value["M"].items())
    return 1


def _number_bytes(text: str) -> int:
    """Zeros at both ends are not kept; a minus takes a byte of its own."""
    digits = len(Decimal(text).normalize().as_tuple().digits)
    return (digits + 1) // 2 + 1 + text.startswith("-")
