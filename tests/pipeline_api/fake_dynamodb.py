"""A DynamoDB with some slices, for cases where moto is too slow (large items) or that it never shows (unread keys)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from aws.items import Item, slice_item
from invoices.invoice import slices_of
from invoices.rows import read_ndjson
from pipeline_api.queries.tables import Tables
from tests.invoice_rows import Row, ndjson

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class FakeDynamoDB:
    """A Query returns all slices, one per page. A BatchGetItem reads at most `keys_per_call` keys."""

    def __init__(self, rows: list[Row], keys_per_call: int = 100) -> None:
        self.items = [slice_item(invoice_slice) for invoice_slice in slices_of(read_ndjson(ndjson(rows)), "batch")]
        self.keys_per_call = keys_per_call

    def tables(self, pauses: list[float]) -> Tables:
        return Tables(cast("DynamoDBClient", self), "invoices", "customers", pauses.append)

    def keys(self) -> list[Item]:
        return [{name: item[name] for name in ("InvoiceNo", "SliceId")} for item in self.items]

    def get_paginator(self, _operation: str) -> "FakeDynamoDB":
        return self

    def paginate(self, **_query: object) -> Iterator[dict[str, list[Item]]]:
        return ({"Items": [item]} for item in self.items)

    def batch_get_item(self, RequestItems: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        keys = RequestItems["invoices"]["Keys"]
        taken, left = keys[: self.keys_per_call], keys[self.keys_per_call :]
        found = [item for item in self.items if any(key.items() <= item.items() for key in taken)]
        unread = {"invoices": {**RequestItems["invoices"], "Keys": left}} if left else {}
        return {"Responses": {"invoices": found}, "UnprocessedKeys": unread}
