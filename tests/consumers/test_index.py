"""A record's lines in the tables: all of them, once, however often it is delivered."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aws.items import slice_from_item
from aws.receipts import Receipt, body_id, timestamp
from consumers.batch_loop import Record
from consumers.index import Index
from invoices.batch import pack, unpack
from invoices.errors import Malformed, TooLarge
from invoices.invoice import union
from invoices.limits import MAX_BODY_BYTES
from tests.consumers.events import BATCH, batch
from tests.invoice_rows import Row, ndjson, row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

ROWS: list[Row] = [
    row(),
    row(StockCode="POST", CustomerID=None),
    row(InvoiceNo="C536379", Quantity=-1),
    row(InvoiceNo="536366", CustomerID="13047"),
]


@pytest.fixture
def index(dynamodb: "DynamoDBClient") -> Index:
    return Index(dynamodb, "invoices", "customers")


def items(dynamodb: "DynamoDBClient", table: str) -> "list[dict[str, AttributeValueTypeDef]]":
    return list(dynamodb.scan(TableName=table)["Items"])


def stored_codes(dynamodb: "DynamoDBClient") -> list[tuple[str, str]]:
    lines = union(slice_from_item(item) for item in items(dynamodb, "invoices"))
    return sorted((line.InvoiceNo, line.StockCode) for line in lines.values())


def test_every_row_is_stored(index: Index, dynamodb: "DynamoDBClient") -> None:
    """With and without a customer, cancellations among them."""
    assert index.add(Record(BATCH, "1", batch(ROWS))).dead_letter is None
    assert stored_codes(dynamodb) == sorted((str(each["InvoiceNo"]), str(each["StockCode"])) for each in ROWS)


def test_every_customer_has_a_pointer_for_each_invoice(index: Index, dynamodb: "DynamoDBClient") -> None:
    """Rows without a customer have none."""
    index.add(Record(BATCH, "1", batch(ROWS)))
    pointers = [(item["CustomerID"]["S"], item["Slice"]["S"].split("#")[0]) for item in items(dynamodb, "customers")]
    assert sorted(pointers) == [("13047", "536366"), ("17850", "536365"), ("17850", "C536379")]


def test_a_redelivery_changes_no_item(index: Index, dynamodb: "DynamoDBClient") -> None:
    """Rows without Occurrence are named by their batch and their place in it."""
    index.add(Record(BATCH, "1", batch(ROWS)))
    before = items(dynamodb, "invoices"), items(dynamodb, "customers")
    index.add(Record(BATCH, "2", batch(ROWS)))
    assert (items(dynamodb, "invoices"), items(dynamodb, "customers")) == before


def test_more_items_than_one_call_takes_are_all_put(index: Index, dynamodb: "DynamoDBClient") -> None:
    """BatchWriteItem takes 25."""
    index.add(Record(BATCH, "1", batch([row(InvoiceNo=str(number)) for number in range(60)])))
    assert (len(items(dynamodb, "invoices")), len(items(dynamodb, "customers"))) == (60, 60)


def test_only_the_invalid_rows_become_a_dead_letter(index: Index, dynamodb: "DynamoDBClient") -> None:
    """The other rows of the record are stored."""
    bad = row(Quantity="many")
    dead_letter = index.add(Record(BATCH, "1", batch([row(), bad, row(StockCode="POST")]))).dead_letter
    assert dead_letter is not None
    assert unpack(dead_letter.payload, MAX_BODY_BYTES) == ndjson([bad])
    assert [(error.index, error.field) for error in dead_letter.errors] == [(1, "Quantity")]
    assert len(stored_codes(dynamodb)) == 2


def test_a_receipt_counts_the_rows_of_the_record(dynamodb: "DynamoDBClient") -> None:
    """Stored and set aside, with the times of arrival and of the last write."""
    index = Index(dynamodb, "invoices", "customers", now=lambda: 1.25)
    rows = [row(), row(Quantity="many"), row()]
    expected = Receipt(BATCH, body_id(BATCH, ndjson(rows)), 2, 1, timestamp(1.0), timestamp(1.25))
    assert index.add(Record(BATCH, "1", batch(rows), arrived_at=1.0)).receipt == expected


def test_a_redelivery_after_an_erasure_is_the_same_body(index: Index) -> None:
    """So its receipt is not added to that of the first delivery."""
    original, left = Record(BATCH, "1", batch(ROWS), arrived_at=1.0), batch(ROWS[1:])
    first, second = index.add(original), index.add(replace(original, data=left, original=original.data))
    assert first.receipt is not None
    assert second.receipt is not None
    assert (second.receipt.body_id, second.receipt.stored) == (first.receipt.body_id, first.receipt.stored - 1)


def test_a_batch_that_is_taken_back_keeps_its_receipt(index: Index, dynamodb: "DynamoDBClient") -> None:
    """The rows that take it back come under its id, and a receipt of theirs would double its count."""
    taken_back = [{**each, "AsOf": "2026-11-26T09:00:00Z", "Withdrawn": True} for each in ROWS]
    assert index.add(Record(BATCH, "1", batch(ROWS), arrived_at=1.0)).receipt is not None
    assert index.add(Record(BATCH, "2", batch(taken_back), arrived_at=2.0)).receipt is None
    lines = union(slice_from_item(item) for item in items(dynamodb, "invoices")).values()
    assert [line.Withdrawn for line in lines] == [True] * len(ROWS)


def test_a_record_whose_arrival_is_unknown_has_no_receipt(index: Index) -> None:
    """No time is invented."""
    assert index.add(Record(BATCH, "1", batch(ROWS))).receipt is None


@pytest.mark.parametrize("data", [b"", b"garbage", pack(b"rows")[:-3]])
def test_what_cannot_be_read_is_rejected(index: Index, data: bytes) -> None:
    """The loop makes a dead letter of it."""
    with pytest.raises(Malformed):
        index.add(Record(BATCH, "1", data))


def test_a_bomb_is_rejected(index: Index) -> None:
    """Another producer's record is inflated under the same limit."""
    with pytest.raises(TooLarge):
        index.add(Record(BATCH, "1", pack(b"\n" * (MAX_BODY_BYTES + 1))))
