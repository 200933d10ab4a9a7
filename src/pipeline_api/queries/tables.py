"""Reads of the tables Invoices and Customers. All are consistent: what is stored can be queried at once.

A request reads a bounded number of lines, so that no invoice and no customer makes it time out.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from aws.errors import translate_errors
from aws.items import POINTER_SEPARATOR, Item, ReadItem, slice_key
from invoices.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryOutputTypeDef

FIRST = " "
"""Sorts before every pointer."""

MOST_LINES = 20_000
"""Stored lines that a request reads, 18 times the data set's longest invoice. A line in two slices counts twice."""

MOST_SLICES = 2_000
"""Slices that a request reads: 20 BatchGetItem."""

MAX_KEYS = 100
"""Keys in one BatchGetItem (AWS: BatchGetItem), and pointers in one page of a Query."""

_PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)


@dataclass(frozen=True, slots=True)
class Tables:
    """`invoices` and `customers` are names of tables. `sleep` takes seconds; it runs before keys are read again.

    Every method raises Throttled or Unavailable.
    """

    client: "DynamoDBClient"
    invoices: str
    customers: str
    sleep: Callable[[float], None]

    def slice_items(self, invoice_no: str) -> list[ReadItem] | None:
        """Every slice of an invoice, or None if there are too many."""
        items: list[ReadItem] = []
        lines = 0
        for item in self._slice_items(invoice_no):
            items.append(item)
            lines += _stored_lines([item])
            if lines > MOST_LINES or len(items) > MOST_SLICES:
                return None
        return items

    def pointer_pages(self, customer_id: str, after: str, size: int = MAX_KEYS) -> Iterator["QueryOutputTypeDef"]:
        """A customer's pointers that sort after the text `after`, in order, `size` per page."""
        with translate_errors("DynamoDB"):
            yield from self.client.get_paginator("query").paginate(
                TableName=self.customers,
                KeyConditionExpression="CustomerID = :customer AND #slice > :after",
                ExpressionAttributeNames={"#slice": "Slice"},
                ExpressionAttributeValues={":customer": {"S": customer_id}, ":after": {"S": after}},
                ConsistentRead=True,
                PaginationConfig={"PageSize": size},
            )

    def items_at(self, keys: Sequence[Item]) -> list[ReadItem]:
        """The items under at most MAX_KEYS keys, in any order. Raises Unavailable if some keys stay unread."""
        items: list[ReadItem] = []
        for pause in (*_PAUSES_SECONDS, 0):
            with translate_errors("DynamoDB"):
                answer = self.client.batch_get_item(
                    RequestItems={self.invoices: {"Keys": keys, "ConsistentRead": True}}
                )
            items += answer["Responses"].get(self.invoices, [])
            if not (left := answer["UnprocessedKeys"].get(self.invoices)):
                return items
            keys = [dict(key) for key in left["Keys"]]
            self.sleep(pause)
        raise Unavailable("DynamoDB left keys unread")

    def _slice_items(self, invoice_no: str) -> Iterator[ReadItem]:
        with translate_errors("DynamoDB"):
            for page in self.client.get_paginator("query").paginate(
                TableName=self.invoices,
                KeyConditionExpression="InvoiceNo = :invoice",
                ExpressionAttributeValues={":invoice": {"S": invoice_no}},
                ConsistentRead=True,
            ):
                yield from page["Items"]


def pointers_by_invoice(tables: Tables, customer_id: str, after: str, limit: int) -> tuple[dict[str, list[str]], bool]:
    """All pointers of at least `limit` invoices, if there are as many, and whether there are more invoices.

    Invoices are counted, not pointers: the number of an invoice's slices must not show in a response. The last invoice
    of a page of the Query may go on in the next page, so it is left to the next request. Beyond MOST_SLICES an invoice
    is too large anyway, and the rest of its pointers stays unread.
    """
    pointers: list[str] = []
    for page in tables.pointer_pages(customer_id, after, size=max(limit + 1, MAX_KEYS)):
        pointers += [item["Slice"]["S"] for item in page["Items"]]
        groups = by_invoice(pointers)
        if "LastEvaluatedKey" in page and (len(groups) > limit or len(pointers) > MOST_SLICES):
            if len(groups) > 1:
                groups.popitem()
            return groups, True
    return by_invoice(pointers), False


def by_invoice(pointers: Iterable[str]) -> dict[str, list[str]]:
    """Pointers that are sorted, by the invoice that they lead to."""
    return {
        number: list(group)
        for number, group in groupby(pointers, lambda pointer: pointer.partition(POINTER_SEPARATOR)[0])
    }


@dataclass(frozen=True, slots=True)
class StoredInvoice:
    """The items that a customer's pointers to one invoice lead to; none of them if they have too many lines."""

    invoice_no: str
    items: Sequence[ReadItem]
    is_too_large: bool

    @property
    def lines(self) -> int:
        """Stored lines. A line in two slices counts twice."""
        return MOST_LINES + 1 if self.is_too_large else _stored_lines(self.items)


def up_to_most_lines(invoices: Iterable[StoredInvoice]) -> Iterator[StoredInvoice]:
    """At least one invoice, and no more than have MOST_LINES together."""
    lines = 0
    for stored in invoices:
        lines += stored.lines
        if lines > MOST_LINES and lines > stored.lines:
            return
        yield stored


def read_invoices(tables: Tables, groups: Mapping[str, Sequence[str]]) -> Iterator[StoredInvoice]:
    """Read many short invoices in one call, and a long one in several. `groups` has the pointers of each invoice.

    A pointer may be stored a moment before its slice; such a slice is left out.
    """
    for batch in _batches(groups):
        items: dict[str, list[ReadItem]] = defaultdict(list)
        pointers = [pointer for invoice_no in batch for pointer in groups[invoice_no]]
        for start in range(0, len(pointers), MAX_KEYS):
            if len(pointers) > MOST_SLICES or _stored_lines(items[batch[0]]) > MOST_LINES:
                break
            for item in tables.items_at([slice_key(pointer) for pointer in pointers[start : start + MAX_KEYS]]):
                items[item["InvoiceNo"]["S"]].append(item)
        for invoice_no in batch:
            is_too_large = len(groups[invoice_no]) > MOST_SLICES or _stored_lines(items[invoice_no]) > MOST_LINES
            yield StoredInvoice(invoice_no, () if is_too_large else items[invoice_no], is_too_large)


def _batches(groups: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Invoices with at most MAX_KEYS pointers together, or one invoice with more."""
    batch: list[str] = []
    keys = 0
    for invoice_no, pointers in groups.items():
        keys += len(pointers)
        if batch and keys > MAX_KEYS:
            yield batch
            batch, keys = [], len(pointers)
        batch.append(invoice_no)
    if batch:
        yield batch


def _stored_lines(items: Iterable[ReadItem]) -> int:
    return sum(len(item["Lines"]["L"]) for item in items)
