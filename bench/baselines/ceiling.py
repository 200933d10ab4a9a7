"""As fast as Python can take gzip NDJSON: msgspec reads the rows, and there is no framework, no client and no rule."""

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


_DECODER = msgspec.json.Decoder(Row)


def handler(put: Callable[[bytes], object]) -> Callable[[Mapping[str, Any], object], dict[str, object]]:
    """Takes an event of an HTTP API; `put` is the client."""

    def handle(event: Mapping[str, Any], _context: object) -> dict[str, object]:
        body = b64decode(event["body"])
        accepted = len(_DECODER.decode_lines(gzip.decompress(body)))
        put(body)
        return {"statusCode": 202, "body": json.dumps({"accepted": accepted})}

    return handle
