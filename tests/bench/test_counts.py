"""DynamoDB's rules for the size of items, on cases worked out by hand."""

from typing import TYPE_CHECKING

import pytest

from bench.counts import item_bytes, value_bytes, write_units

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "POST"}, 4),
        ({"S": "\u00a3"}, 2),
        ({"N": "6"}, 2),
        ({"N": "2.55"}, 3),
        ({"N": "100"}, 2),
        ({"N": "-80995"}, 5),
        ({"NULL": True}, 1),
        ({"BOOL": True}, 1),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"N": "1"}]}, 3 + 1 + 2 + 1 + 2),
        ({"M": {"key": {"S": "ab"}}}, 3 + 1 + 3 + 2),
    ],
)
def test_a_value(value: "AttributeValueTypeDef", size: int) -> None:
    """UTF-8 bytes, two digits to a byte, three bytes for a container and one for each element."""
    assert value_bytes(value) == size


def test_an_item_counts_names_and_values() -> None:
    """Keys are attributes like all others."""
    assert item_bytes({"InvoiceNo": {"S": "536365"}, "Lines": {"L": []}}) == 9 + 6 + 5 + 3


@pytest.mark.parametrize(("size", "units"), [(0, 1), (1024, 1), (1025, 2), (400 * 1024, 400)])
def test_a_write_unit_pays_for_a_kilobyte(size: int, units: int) -> None:
    """Begun ones count whole, and nothing is free."""
    assert write_units(size) == units
