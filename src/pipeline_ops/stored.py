"""What the tables contain: every slice and every pointer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws.errors import translate_errors
from aws.items import ReadItem, pointer_items, slice_from_item, slice_key
from invoices.invoice import Slice, union
from invoices.line import Line

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DAMAGED = (KeyError, TypeError, ValueError, ArithmeticError)  # what slice_from_item raises for a damaged item


@dataclass(frozen=True, slots=True)
class Pointer:
    """`slice_name` is the invoice number, `#` and the slice id."""

    customer_id: str
    slice_name: str


@dataclass(frozen=True, slots=True)
class UnreadableItem:
    """An item of Invoices from which no slice can be read: it is damaged, or something else."""

    invoice_no: str
    slice_id: str


def stored_slices(dynamodb: "DynamoDBClient", invoices_table: str) -> Iterator[Slice | UnreadableItem]:
    """Every slice. The same line may be in several slices: an invoice is their union by line id."""
    return (_slice(item) for item in _scan(dynamodb, invoices_table))


def stored_pointers(dynamodb: "DynamoDBClient", customers_table: str) -> Iterator[Pointer]:
    return (_pointer(item) for item in _scan(dynamodb, customers_table))


def has_slice(dynamodb: "DynamoDBClient", invoices_table: str, pointer: Pointer) -> bool:
    """Whether the pointer leads to a slice of its customer."""
    key = slice_key(pointer.slice_name)
    with translate_errors("DynamoDB"):
        item = dynamodb.get_item(TableName=invoices_table, Key=key, ConsistentRead=True).get("Item")
    invoice_slice = _slice(item) if item else None
    return isinstance(invoice_slice, Slice) and pointer in pointers_to(invoice_slice)


def customer_pointers(dynamodb: "DynamoDBClient", customers_table: str, customer_id: str) -> list[Pointer]:
    """All pointers of one customer."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=customers_table,
        KeyConditionExpression="CustomerID = :id",
        ExpressionAttributeValues={":id": {"S": customer_id}},
        ConsistentRead=True,
    )
    with translate_errors("DynamoDB"):
        return [_pointer(item) for page in pages for item in page["Items"]]


def pointers_to(invoice_slice: Slice) -> list[Pointer]:
    """The pointers that a slice must have."""
    return [_pointer(item) for item in pointer_items(invoice_slice)]


def invoice_lines(dynamodb: "DynamoDBClient", invoices_table: str, invoice_no: str) -> dict[bytes, Line]:
    """The lines of one invoice by line id. Unreadable items are left out; `stored_slices` shows them."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=invoices_table,
        KeyConditionExpression="InvoiceNo = :no",
        ExpressionAttributeValues={":no": {"S": invoice_no}},
        ConsistentRead=True,
    )
    with translate_errors("DynamoDB"):
        slices = [_slice(item) for page in pages for item in page["Items"]]
    lines = union(invoice_slice for invoice_slice in slices if isinstance(invoice_slice, Slice))
    return {bytes.fromhex(line_id): line for line_id, line in lines.items()}


def _scan(dynamodb: "DynamoDBClient", table: str) -> Iterator[ReadItem]:
    """A consistent read: an item that was written a moment ago is included."""
    with translate_errors("DynamoDB"):
        for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            yield from page["Items"]


def _slice(item: ReadItem) -> Slice | UnreadableItem:
    try:
        return slice_from_item(item)
    except _DAMAGED:
        return UnreadableItem(item["InvoiceNo"]["S"], item["SliceId"]["S"])


def _pointer(item: ReadItem) -> Pointer:
    return Pointer(item["CustomerID"]["S"], item["Slice"]["S"])
