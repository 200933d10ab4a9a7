"""As fast as Python can take rows: msgspec reads them, and nothing else is there: no framework, client or rules."""

import gzip
import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec


class Row(msgspec.Struct):
    InvoiceNo: str
    StockCode: str
    Quantity: int
    InvoiceDate: str
    UnitPrice: str
    Country: str
    Description: str | None = None
    CustomerID: str | None = None
    Occurrence: int | None = None


class TypedRow(msgspec.Struct):
    """With a date that is one and a price that is a number, as whoever writes rows anew would have them."""

    InvoiceNo: str
    StockCode: str
    Quantity: int
    InvoiceDate: datetime
    UnitPrice: Decimal
    Country: str
    Description: str | None = None
    CustomerID: str | None = None
    Occurrence: int | None = None


_ROWS = msgspec.json.Decoder(list[Row])
_TYPED_ROWS = msgspec.json.Decoder(list[TypedRow])
_ENCODER = msgspec.json.Encoder()
_LINE = msgspec.json.Decoder(Row)


def count_lines(ndjson: bytes) -> int:
    return len(_LINE.decode_lines(ndjson))


def handler(
    put: Callable[[bytes], None], count: Callable[[bytes], int] = count_lines
) -> Callable[[Mapping[str, Any], object], dict[str, object]]:
    """Takes an event of an HTTP API; `put` is the client, and `count` checks the rows of NDJSON."""

    def handle(event: Mapping[str, Any], _context: object) -> dict[str, object]:
        body = b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
        is_gzip = event["headers"].get("content-encoding") == "gzip"
        accepted = count(gzip.decompress(body)) if is_gzip else len(_ROWS.decode(body))
        put(body)
        return {"statusCode": 202, "body": json.dumps({"accepted": accepted})}

    return handle


def packing_handler(put: Callable[[bytes], None]) -> Callable[[Mapping[str, Any], object], dict[str, object]]:
    """Takes rows as JSON, and makes of them the record that ours puts: gzip NDJSON."""

    def handle(event: Mapping[str, Any], _context: object) -> dict[str, object]:
        rows = _TYPED_ROWS.decode(event["body"])
        put(gzip.compress(_ENCODER.encode_lines(rows), 1, mtime=0))
        return {"statusCode": 202, "body": json.dumps({"accepted": len(rows)})}

    return handle
