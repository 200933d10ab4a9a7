"""Stores batches in the tables without the stream and the consumers."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from aws.items import Item, pointer_items, slice_item
from invoices.invoice import slices_of
from invoices.rows import read_ndjson
from tests.invoice_rows import Row, ndjson

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.pipeline_api.fake_dynamodb import FakeDynamoDB


def store(client: "DynamoDBClient | FakeDynamoDB", *batches: Iterable[Row]) -> None:
    """Each batch becomes its own slices."""
    for number, rows in enumerate(batches):
        for invoice_slice in slices_of(read_ndjson(ndjson(list(rows))), f"batch-{number}"):
            _put(client, "invoices", [slice_item(invoice_slice)])
            _put(client, "customers", pointer_items(invoice_slice))


def _put(client: "DynamoDBClient | FakeDynamoDB", table: str, items: list[Item]) -> None:
    for item in items:
        client.put_item(TableName=table, Item=item)
