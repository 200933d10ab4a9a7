"""The events that Lambda would hand to a function."""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from aws.lambda_events import KinesisEvent
from bench import api_key
from local_runtime.event_source_mapping import StreamRecord, events

_STREAM_ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/rows"
_JSON = {"content-type": "application/json", "x-api-key": api_key.TEXT}
_GZIP_NDJSON = {**_JSON, "content-type": "application/x-ndjson", "content-encoding": "gzip"}


class Context:
    """An invocation with time enough."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def json_request(path: str, body: bytes) -> dict[str, Any]:
    """POST of JSON through an HTTP API, which hands text on as it is."""
    return _request("POST", path, _JSON, body, is_base64=False)


def gzip_request(body: bytes, key: str) -> dict[str, Any]:
    """POST of gzip NDJSON, as the client sends it."""
    return _request("POST", "/ingest", {**_GZIP_NDJSON, "idempotency-key": key}, body, is_base64=True)


def get_request(path: str) -> dict[str, Any]:
    return _request("GET", path, {"x-api-key": api_key.TEXT}, b"", is_base64=False)


def kinesis_event(records: Iterable[tuple[str, bytes]]) -> KinesisEvent:
    """Records of partition key and data."""
    delivered = [
        StreamRecord("shardId-000000000000", f"4966{number:052}", key, data, arrived=1_700_000_000.0)
        for number, (key, data) in enumerate(records, 1)
    ]
    return events.kinesis_event(delivered, _STREAM_ARN)


def _request(method: str, path: str, headers: Mapping[str, str], body: bytes, *, is_base64: bool) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(_template())
    event["rawPath"] = path
    event["requestContext"]["http"] |= {"method": method, "path": path}
    event["headers"] |= {**headers, "content-length": str(len(body))}
    text = b64encode(body).decode() if is_base64 else body.decode()
    return event | {"body": text, "isBase64Encoded": is_base64}


@cache
def _template() -> str:
    return Path(__file__).with_name("http_api_event.json").read_text()
