"""A DynamoDB with some slices, for cases where moto is too slow (large items) or that it never shows (unread keys)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from aws.items import Item, slice_item
from invoices.invoice import slices_of
from invoices.rows import read_ndjson
from pipeline_api.queries.tables import Tables
from tests.invoice_rows import Row, ndjson

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class FakeDynamoDB:
    """A Query of an invoice returns one slice per page. A BatchGetItem reads at most `keys_per_call` keys.

    `calls` counts the keys of each BatchGetItem.
    """

    def __init__(self, rows: list[Row], keys_per_call: int = 100) -> None:
        self._stored: dict[tuple[str, str], Item] = {}
        self._pointers: dict[str, set[str]] = defaultdict(set)
        self.keys_per_call = keys_per_call
        self.calls: list[int] = []
        for invoice_slice in slices_of(read_ndjson(ndjson(rows)), "batch"):
            self.put_item("invoices", slice_item(invoice_slice))

    @property
    def items(self) -> list[Item]:
        return list(self._stored.values())

    def tables(self, pauses: list[float]) -> Tables:
        return Tables(cast("DynamoDBClient", self), "invoices", "customers", pauses.append)

    def keys(self) -> list[Item]:
        return [{name: item[name] for name in ("InvoiceNo", "SliceId")} for item in self.items]

    def put_item(self, TableName: str, Item: Item) -> None:
        if TableName == "customers":
            self._pointers[Item["CustomerID"]["S"]].add(Item["Slice"]["S"])
        else:
            self._stored[_key(Item)] = Item

    def get_paginator(self, _operation: str) -> "FakeDynamoDB":
        return self

    def paginate(
        self,
        TableName: str,
        ExpressionAttributeValues: dict[str, dict[str, str]],
        PaginationConfig: Mapping[str, int] = MappingProxyType({}),
        **_query: object,
    ) -> Iterator[dict[str, Any]]:
        values = {name: value["S"] for name, value in ExpressionAttributeValues.items()}
        if TableName == "customers":
            return self._pointer_pages(values[":customer"], values[":after"], PaginationConfig["PageSize"])
        return ({"Items": [item]} for item in self.items if item["InvoiceNo"]["S"] == values[":invoice"])

    def batch_get_item(self, RequestItems: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        keys = RequestItems["invoices"]["Keys"]
        self.calls.append(len(keys))
        taken, left = keys[: self.keys_per_call], keys[self.keys_per_call :]
        found = [self._stored[_key(key)] for key in taken if _key(key) in self._stored]
        unread = {"invoices": {**RequestItems["invoices"], "Keys": left}} if left else {}
        return {"Responses": {"invoices": found}, "UnprocessedKeys": unread}

    def _pointer_pages(self, customer: str, after: str, size: int) -> Iterator[dict[str, Any]]:
        """As of DynamoDB, a page that ends exactly at the last pointer is followed by an empty one."""
        pointers = sorted(pointer for pointer in self._pointers[customer] if pointer > after)
        for start in range(0, len(pointers) + 1, size):
            items = [{"Slice": {"S": pointer}} for pointer in pointers[start : start + size]]
            yield {"Items": items, **({"LastEvaluatedKey": {}} if len(items) == size else {})}


def _key(item: Item) -> tuple[str, str]:
    return item["InvoiceNo"]["S"], item["SliceId"]["S"]
