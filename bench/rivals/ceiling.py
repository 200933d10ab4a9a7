"""As fast as Python can take rows: msgspec checks them, and nothing else is there: no framework, client or errors."""

import gzip
import json
from base64 import b64decode
from collections.abc import Callable, Mapping
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


_ROWS = msgspec.json.Decoder(list[Row])
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
