"""What the stores hold."""

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from aws.bucket import raw_key
from aws.items import pointer_items, slice_item
from invoices.batch import pack
from invoices.invoice import slices_of
from invoices.rows import read_ndjson
from local_runtime.report import Places, read_stored
from local_runtime.stack.resources import Clients
from tests.invoice_rows import Row, ndjson, row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

PLACES = Places("raw-bucket", "invoices", "customers")


@pytest.fixture
def clients(kinesis: "KinesisClient", s3: "S3Client", dynamodb: "DynamoDBClient") -> Clients:
    return Clients(kinesis, s3, dynamodb)


def _index(clients: Clients, *rows: Row) -> None:
    for invoice_slice in slices_of(read_ndjson(ndjson(rows)), "a"):
        clients.dynamodb.put_item(TableName="invoices", Item=slice_item(invoice_slice))
        for pointer in pointer_items(invoice_slice):
            clients.dynamodb.put_item(TableName="customers", Item=pointer)


def test_overlapping_slices_count_each_line_once(clients: Clients) -> None:
    """The same row in two slices is one line, and its amount is added once."""
    _index(clients, row(Occurrence=1))
    _index(clients, row(Occurrence=1), row(Occurrence=2))
    stored = read_stored(clients, PLACES)
    assert (stored.slices, len(stored.tally.line_ids), stored.tally.amount) == (2, 2, Decimal("30.60"))


def test_customers_are_those_that_pointers_lead_from(clients: Clients) -> None:
    """Several pointers of one customer to one invoice are one pair."""
    _index(clients, row(Occurrence=1))
    _index(clients, row(Occurrence=2), row(InvoiceNo="536366", Occurrence=1))
    stored = read_stored(clients, PLACES)
    pairs = {("17850", "536365"), ("17850", "536366")}
    assert (stored.customers, stored.pointers, stored.pointed) == (1, 3, pairs)


def test_every_row_of_every_raw_object_counts(clients: Clients) -> None:
    """However many objects there are, and with the last line break or without."""
    for batch_id in ("a", "b"):
        data = pack(json.dumps(row()).encode() + b"\n" + json.dumps(row()).encode())
        clients.s3.put_object(Bucket="raw-bucket", Key=raw_key(batch_id), Body=data)
    stored = read_stored(clients, PLACES)
    assert (stored.raw_objects, stored.raw_rows) == (2, 4)


def test_every_other_object_is_a_record_set_aside(clients: Clients) -> None:
    """The consumers' own and Lambda's."""
    for key in ("failed/to_s3/1", "aws/lambda/2"):
        clients.s3.put_object(Bucket="raw-bucket", Key=key, Body=b"{}")
    assert read_stored(clients, PLACES).set_aside == 2


def test_empty_stores_hold_nothing(clients: Clients) -> None:
    """After a file without rows."""
    stored = read_stored(clients, PLACES)
    assert (stored.raw_objects, stored.slices, stored.tally.amount) == (0, 0, Decimal(0))
