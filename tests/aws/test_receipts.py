"""Receipts: written once, read by batch, listed by arrival."""

from typing import TYPE_CHECKING

import pytest

from aws.receipts import Receipt, ReceiptTable, ReceiptWriter, body_id, timestamp
from tests.receipts import receipt

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def table(dynamodb: "DynamoDBClient") -> ReceiptTable:
    return ReceiptTable(dynamodb, "batches")


@pytest.fixture
def writer(dynamodb: "DynamoDBClient") -> ReceiptWriter:
    return ReceiptWriter(dynamodb, "batches", days=2, now=lambda: 1_000_000.4)


def test_a_receipt_comes_back_as_it_was_put(table: ReceiptTable, writer: ReceiptWriter) -> None:
    """All of its fields; another batch has none."""
    first = receipt("a", stored=5, set_aside=1)
    writer.put(first)
    assert (table.of_batch("a", 10), table.of_batch("b", 10)) == ([first], [])


def test_the_first_receipt_of_a_body_stays(table: ReceiptTable, writer: ReceiptWriter) -> None:
    """A redelivery comes later and changes no time."""
    writer.put(first := receipt("a"))
    writer.put(receipt("a", arrived=5.0))
    assert table.of_batch("a", 10) == [first]


def test_another_body_has_a_receipt_of_its_own(table: ReceiptTable, writer: ReceiptWriter) -> None:
    """So no rows of the batch go uncounted."""
    bodies = {receipt("a", body=b"1"), receipt("a", body=b"2")}
    for each in bodies:
        writer.put(each)
    assert set(table.of_batch("a", 10)) == bodies


def test_the_receipts_of_a_batch_come_in_pages(
    dynamodb: "DynamoDBClient", table: ReceiptTable, writer: ReceiptWriter
) -> None:
    """DynamoDB ends a page at 1 MB; here after one item. At most so many are read as the caller asks for."""
    dynamodb.meta.events.register("provide-client-params.dynamodb.Query", lambda params, **_: params.update(Limit=1))
    for number in range(3):
        writer.put(receipt("a", body=b"%d" % number))
    assert [len(table.of_batch("a", limit)) for limit in (2, 10)] == [2, 3]


def test_one_body_is_read_by_itself(table: ReceiptTable, writer: ReceiptWriter) -> None:
    """The time does not depend on how many bodies the batch has."""
    writer.put(first := receipt("a", body=b"1"))
    assert table.of_body("a", first.body_id) == first
    assert table.of_body("a", body_id("a", b"2")) is None


def test_the_latest_come_first_and_page_by_position(table: ReceiptTable, writer: ReceiptWriter) -> None:
    """From all partitions of the index, also where several arrive in the same millisecond."""
    receipts = [receipt(str(number), arrived=float(number // 3)) for number in range(12)]
    for each in receipts:
        writer.put(each)
    pages = [table.latest(5, None)]
    while page := table.latest(5, pages[-1][-1].position):
        pages.append(page)
    expected = sorted(receipts, key=_position, reverse=True)
    assert [each for page in pages for each in page] == expected


def _position(each: Receipt) -> str:
    return each.position


def test_a_receipt_expires(dynamodb: "DynamoDBClient", writer: ReceiptWriter) -> None:
    """DynamoDB deletes the item by this attribute."""
    writer.put(receipt("a"))
    [item] = dynamodb.scan(TableName="batches")["Items"]
    assert item["ExpiresAt"] == {"N": str(1_000_000 + 2 * 86_400)}


def test_times_are_utc_with_milliseconds() -> None:
    """So their texts sort as the times do."""
    assert timestamp(1_700_000_000.0) == "2023-11-14T22:13:20.000+00:00"


def test_a_body_belongs_to_its_batch() -> None:
    """So the position of a receipt is unique."""
    assert len({body_id("a", b"x"), body_id("b", b"x"), body_id("a", b"y")}) == 3
