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


def handler(put: Callable[[bytes], None]) -> Callable[[Mapping[str, Any], object], dict[str, object]]:
    """Takes an event of an HTTP API; `put` is the client that does nothing."""

    def handle(event: Mapping[str, Any], _context: object) -> dict[str, object]:
        body = b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
        if event["headers"].get("content-encoding") == "gzip":
            rows = _LINE.decode_lines(gzip.decompress(body))
        else:
            rows = _ROWS.decode(body)
        put(body)
        return {"statusCode": 202, "body": json.dumps({"accepted": len(rows)})}

    return handle
