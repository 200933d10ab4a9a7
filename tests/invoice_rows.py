"""Rows for tests: one that is valid, and how to vary it."""

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Row: TypeAlias = dict[str, object]


def row(**changes: object) -> Row:
    """A valid row with the fields given in place of its own."""
    valid: Row = {
        "InvoiceNo": "536365",
        "StockCode": "85123A",
        "Description": "WHITE HANGING HEART T-LIGHT HOLDER",
        "Quantity": 6,
        "InvoiceDate": "12/1/2010 8:26",
        "UnitPrice": "2.55",
        "CustomerID": "17850",
        "Country": "United Kingdom",
    }
    return {**valid, **changes}


def without(*fields: str) -> Row:
    return {name: value for name, value in row().items() if name not in fields}


def ndjson(rows: Sequence[Mapping[str, object]]) -> bytes:
    return b"\n".join(json.dumps(each).encode() for each in rows)
