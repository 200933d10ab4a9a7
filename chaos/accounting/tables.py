"""The tables hold exactly the accepted rows, and a pointer for every slice that a customer has lines in."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from chaos.accounting.evidence import Evidence, difference
from chaos.shop import Fact
from chaos.stores import Stores


def check_tables(evidence: Evidence) -> list[str]:
    slices = list(_items(evidence.stores, evidence.stores.invoices))
    pointers = list(_items(evidence.stores, evidence.stores.customers))
    lines = {line for item in slices for line in _lines(item)}
    return [
        *difference("lines in the tables", evidence.facts, [fact for _, fact in lines]),
        *difference("pointers", _expected_pointers(slices), [_pointer(item) for item in pointers]),
    ]


def _expected_pointers(slices: list[Mapping[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (fact.customer, fact.invoice, item["SliceId"]["S"])
        for item in slices
        for _, fact in _lines(item)
        if fact.customer
    }


def _pointer(item: Mapping[str, Any]) -> tuple[str, str, str]:
    invoice, _, slice_id = item["Slice"]["S"].partition("#")
    return item["CustomerID"]["S"], invoice, slice_id


def _lines(item: Mapping[str, Any]) -> list[tuple[str, Fact]]:
    """Each with what makes it itself: its own id, or the number among rows with its content."""
    columns = item["Columns"]["S"].split(",")
    return [_line({**item, **dict(zip(columns, entry["L"], strict=True))}) for entry in item["Lines"]["L"]]


def _line(values: Mapping[str, Any]) -> tuple[str, Fact]:
    own = values.get("LineId", {}).get("S") or values.get("Occurrence", {}).get("N", "1")
    return own, Fact(
        invoice=values["InvoiceNo"]["S"],
        stock_code=values["StockCode"]["S"],
        description=values.get("Description", {}).get("S"),
        quantity=int(values["Quantity"]["N"]),
        date=values["InvoiceDate"]["S"],
        price=Decimal(values["UnitPrice"]["N"]),
        customer=values.get("CustomerID", {}).get("S"),
        country=values["Country"]["S"],
    )


def _items(stores: Stores, table: str) -> Iterator[Mapping[str, Any]]:
    for page in stores.clients.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]
