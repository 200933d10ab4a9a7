"""What the consumers would have stored, written straight into the tables."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from invoices.items import pointer_items, slice_item
from invoices.rows import read_ndjson
from invoices.slices import slices_of
from tests.invoice_rows import Row, ndjson

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def store(client: "DynamoDBClient", *batches: Iterable[Row]) -> None:
    """Each batch becomes slices of its own."""
    for number, rows in enumerate(batches):
        for piece in slices_of(read_ndjson(ndjson(list(rows))), f"batch-{number}"):
            client.put_item(TableName="invoices", Item=slice_item(piece))
            for pointer in pointer_items(piece):
                client.put_item(TableName="customers", Item=pointer)
