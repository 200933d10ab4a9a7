"""POST /ingest in the OpenAPI document: its bodies, with examples that can be sent as they are, and its responses."""

import json
from typing import Any

from invoices.errors import InvalidRows, Malformed, RowError, TooLarge
from invoices.fields import RULES
from invoices.limits import MAX_BODY_BYTES, MAX_ROWS
from invoices.line import Line
from pipeline_api.ingest.batch import JSON, NDJSON
from pipeline_api.openapi import problem_responses, schema_reference, service_problems
from pipeline_api.problems import UnsupportedMedia

ONE_ROW = {
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
_LANTERN = {**ONE_ROW, "StockCode": "71053", "Description": "WHITE METAL LANTERN", "UnitPrice": "3.39"}
_RETURN = {
    **ONE_ROW,
    "InvoiceNo": "C536379",
    "StockCode": "D",
    "Description": "Discount",
    "Quantity": -1,
    "InvoiceDate": "2010-12-01T09:41:00",
    "UnitPrice": "27.50",
    "CustomerID": "14527",
}
_ROWS = [ONE_ROW, _LANTERN, _RETURN]
_LINE = schema_reference(Line)

INGEST_BODY: dict[str, Any] = {
    "required": True,
    "description": (
        "Plain, or compressed with `Content-Encoding: gzip`. "
        f"At most {MAX_BODY_BYTES:,} bytes, before and after decompression, and {MAX_ROWS:,} rows."
    ),
    "content": {
        JSON: {
            "schema": {"oneOf": [_LINE, {"type": "array", "items": _LINE, "minItems": 1}]},
            "examples": {
                "one": {"summary": "One row", "value": ONE_ROW},
                "many": {"summary": "Many rows", "value": _ROWS},
            },
        },
        NDJSON: {
            "schema": {"type": "string", "description": "One row per line, each a JSON object."},
            "examples": {
                "lines": {"summary": "One row per line", "value": "\n".join(json.dumps(row) for row in _ROWS)},
            },
        },
    },
}

_ALL_ACCEPTED = {"batch_id": "01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d", "accepted": 3, "rejected": 0, "errors": []}
_ONE_REJECTED = {
    "batch_id": "01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d",
    "accepted": 2,
    "rejected": 1,
    "errors": [{"index": 1, "field": "Country", "message": "is missing"}],
}

_LOCATION = {"Location": {"description": "Where the batch's receipt is.", "schema": {"type": "string"}}}
_APPLIED = {"Preference-Applied": {"description": "The wait that was applied.", "schema": {"type": "string"}}}
_RECEIPT = {
    "batch_id": "01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d",
    "rows": 3,
    "stored": 3,
    "set_aside": 0,
    "arrived_at": "2026-11-25T12:00:04.125+00:00",
    "queryable_at": "2026-11-25T12:00:04.211+00:00",
}

QUERYABLE: dict[str, Any] = {
    "description": "Queryable: the request asked to wait",
    "headers": _LOCATION | _APPLIED,
    "content": {JSON: {"example": {**_ALL_ACCEPTED, "receipt": _RECEIPT}}},
}

ACCEPTED: dict[str, Any] = {
    "description": "Accepted",
    "headers": _LOCATION | _APPLIED,
    "content": {
        JSON: {
            "examples": {
                "all": {"summary": "All rows accepted", "value": _ALL_ACCEPTED},
                "some": {"summary": "One row rejected", "value": _ONE_REJECTED},
            }
        }
    },
}

INGEST_PROBLEMS = problem_responses(
    Malformed("the bytes are not valid gzip"),
    TooLarge("the body is too large", limit=MAX_BODY_BYTES, actual=10_000_000),
    UnsupportedMedia(f"Content-Type must be {JSON} or {NDJSON}"),
    InvalidRows("no row is valid", [RowError(0, "Quantity", RULES["Quantity"])]),
) | service_problems("Kinesis")
