"""What the tables hold: every slice and every pointer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws.errors import translate_errors
from aws.items import ReadItem, pointer_items, slice_from_item
from invoices.invoice import Slice, union
from invoices.line import Line

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_NOT_OURS = (KeyError, TypeError, ValueError, ArithmeticError)  # what reading an item meets that somebody spoilt


@dataclass(frozen=True, slots=True)
class Pointer:
    """`slice_name` is invoice number, `#`, slice id."""

    customer_id: str
    slice_name: str


@dataclass(frozen=True, slots=True)
class UnreadableItem:
    """An item of Invoices that no slice was made into."""

    invoice_no: str
    slice_id: str


def stored_slices(dynamodb: "DynamoDBClient", invoices_table: str) -> Iterator[Slice | UnreadableItem]:
    """Every slice. An invoice is the union of its slices by line id: a line may come more than once."""
    return (_slice(item) for item in _items(dynamodb, invoices_table))


def _slice(item: ReadItem) -> Slice | UnreadableItem:
    try:
        return slice_from_item(item)
    except _NOT_OURS:
        return UnreadableItem(item["InvoiceNo"]["S"], item["SliceId"]["S"])


def invoice_lines(dynamodb: "DynamoDBClient", invoices_table: str, invoice_no: str) -> dict[bytes, Line]:
    """The lines of one invoice by line id."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=invoices_table,
        KeyConditionExpression="InvoiceNo = :no",
        ExpressionAttributeValues={":no": {"S": invoice_no}},
        ConsistentRead=True,
    )
    with translate_errors("DynamoDB"):
        slices = [_slice(item) for page in pages for item in page["Items"]]
    lines = union(invoice_slice for invoice_slice in slices if isinstance(invoice_slice, Slice))
    return {bytes.fromhex(name): line for name, line in lines.items()}


def stored_pointers(dynamodb: "DynamoDBClient", customers_table: str) -> Iterator[Pointer]:
    return (_pointer(item) for item in _items(dynamodb, customers_table))


def pointers_to(invoice_slice: Slice) -> list[Pointer]:
    """The pointers that a slice must have."""
    return [_pointer(item) for item in pointer_items(invoice_slice)]


def _pointer(item: ReadItem) -> Pointer:
    return Pointer(item["CustomerID"]["S"], item["Slice"]["S"])


def _items(dynamodb: "DynamoDBClient", table: str) -> Iterator[ReadItem]:
    """Read consistently: an item that was written a moment ago is not missing."""
    with translate_errors("DynamoDB"):
        for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            yield from page["Items"]
