"""The bodies of POST /ingest in the OpenAPI document, with examples that can be sent as they stand."""

import json
from typing import Any

from invoices.limits import MAX_BODY_BYTES, MAX_ROWS
from pipeline_api.ingest.body import JSON, NDJSON
from pipeline_api.openapi import REF_TEMPLATE

_HEART = {
    "InvoiceNo": "536365",
    "StockCode": "85123A",
    "Description": "WHITE HANGING HEART T-LIGHT HOLDER",
    "Quantity": 6,
    "InvoiceDate": "12/1/2010 8:26",
    "UnitPrice": "2.55",
    "CustomerID": "17850",
    "Country": "United Kingdom",
    "Occurrence": 1,
}
_LANTERN = {**_HEART, "StockCode": "71053", "Description": "WHITE METAL LANTERN", "UnitPrice": "3.39"}
_RETURN = {
    **_HEART,
    "InvoiceNo": "C536379",
    "StockCode": "D",
    "Description": "Discount",
    "Quantity": -1,
    "InvoiceDate": "2010-12-01T09:41:00",
    "UnitPrice": "27.50",
    "CustomerID": "14527",
}
_ROWS = [_HEART, _LANTERN, _RETURN]
_LINE = {"$ref": REF_TEMPLATE.format(model="Line")}

INGEST_BODY: dict[str, Any] = {
    "required": True,
    "description": (
        "Plain, or compressed with `Content-Encoding: gzip`. "
        f"At most {MAX_BODY_BYTES:,} bytes, also once inflated, and {MAX_ROWS:,} rows."
    ),
    "content": {
        JSON: {
            "schema": {"oneOf": [_LINE, {"type": "array", "items": _LINE, "minItems": 1}]},
            "examples": {
                "one": {"summary": "One row", "value": _HEART},
                "many": {"summary": "Many rows", "value": _ROWS},
            },
        },
        NDJSON: {
            "schema": {"type": "string", "description": "One row a line, each a JSON object."},
            "examples": {
                "lines": {"summary": "One row a line", "value": "\n".join(json.dumps(row) for row in _ROWS)},
            },
        },
    },
}

_ACCEPTED_EXAMPLES: dict[str, Any] = {
    "all": {
        "summary": "All rows taken",
        "value": {"batch_id": "01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d", "accepted": 3, "rejected": 0, "errors": []},
    },
    "some": {
        "summary": "One row refused",
        "value": {
            "batch_id": "01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d",
            "accepted": 2,
            "rejected": 1,
            "errors": [{"index": 1, "field": "Country", "message": "is missing"}],
        },
    },
}

ACCEPTED: dict[str, Any] = {"description": "Taken", "content": {JSON: {"examples": _ACCEPTED_EXAMPLES}}}
