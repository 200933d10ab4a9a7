"""Our Lambda functions, started in this process as Lambda starts them, and the events that Lambda hands to them."""

import importlib
import json
import os
import sys
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any, TypeAlias

from aws.lambda_events import KinesisEvent
from bench.designs import environment_names
from bench.wire import API_KEY, BATCHES, BUCKET, CUSTOMERS, INVOICES, STREAM
from local_runtime.event_source_mapping import StreamRecord, events

Handler: TypeAlias = Callable[[Any, Any], Any]
Log: TypeAlias = Callable[[str], object]
"""Gets what an invocation printed: its lines in CloudWatch."""

_VALUES = {
    "STREAM_NAME": STREAM,
    "RAW_BUCKET": BUCKET,
    "INVOICES_TABLE": INVOICES,
    "CUSTOMERS_TABLE": CUSTOMERS,
    "BATCHES_TABLE": BATCHES,
    "RECEIPT_RETENTION_DAYS": "30",
    "METRICS_NAMESPACE": "invoice-stream",
}
_ANY_VALUE = "open"  # every other variable is a name, or takes this word
_STREAM_ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/rows"
_JSON = {"content-type": "application/json", "x-api-key": API_KEY}
_GZIP_NDJSON = {**_JSON, "content-type": "application/x-ndjson", "content-encoding": "gzip"}


def _ignore(_printed: str) -> None:
    """Where time is measured; printed lines would stand between the figures."""


def api_handler(log: Log = _ignore) -> Handler:
    return _start("pipeline_api.lambda_handler", "ApiFunction", log)


def to_s3(log: Log = _ignore) -> Handler:
    return _start("consumers.to_s3", "ToS3Function", log)


def to_dynamodb(log: Log = _ignore) -> Handler:
    return _start("consumers.to_dynamodb", "ToDynamodbFunction", log)


def _start(module: str, function: str, log: Log) -> Handler:
    """Anew each time: an entry makes its clients when it is imported, from boto3's default session."""
    os.environ |= {name: _VALUES.get(name, _ANY_VALUE) for name in environment_names(function)}
    sys.modules.pop(module, None)
    handler = importlib.import_module(module).handler

    def handle(event: Any, context: Any) -> Any:
        with redirect_stdout(StringIO()) as printed:
            answer = handler(event, context)
        log(printed.getvalue())
        return answer

    return handle


class Context:
    """Of an invocation with enough time."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def json_request(path: str, body: bytes) -> dict[str, Any]:
    """POST of JSON through an HTTP API, which hands text on as it is."""
    return _request("POST", path, _JSON, body.decode(), len(body))


def gzip_request(body: bytes, key: str) -> dict[str, Any]:
    """POST of gzip NDJSON, as the client sends it."""
    event = _request("POST", "/ingest", {**_GZIP_NDJSON, "idempotency-key": key}, b64encode(body).decode(), len(body))
    return event | {"isBase64Encoded": True}


def get_request(path: str) -> dict[str, Any]:
    return _request("GET", path, {"x-api-key": API_KEY}, "", 0)


def kinesis_event(records: Iterable[tuple[str, bytes]]) -> KinesisEvent:
    """Of records given as partition key and data."""
    delivered = [
        StreamRecord("shardId-000000000000", f"4966{number:052}", key, data, arrived=1_700_000_000.0)
        for number, (key, data) in enumerate(records, 1)
    ]
    return events.kinesis_event(delivered, _STREAM_ARN)


def call(handler: Handler, *events: Any) -> Callable[[], None]:
    """A side for ab_benchmark that invokes the handler with each event. Raises RuntimeError where one is refused."""

    def run() -> None:
        for event in events:
            answer = handler(event, Context()) or {}
            if answer.get("statusCode", 200) not in (200, 202) or answer.get("batchItemFailures"):
                raise RuntimeError(f"an event was refused: {answer}")

    return run


def _request(method: str, path: str, headers: Mapping[str, str], body: str, size: int) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(_http_api_event())
    event["rawPath"] = path
    event["requestContext"]["http"] |= {"method": method, "path": path}
    event["headers"] |= {**headers, "content-length": str(size)}
    return event | {"body": body, "isBase64Encoded": False}


@cache
def _http_api_event() -> str:
    return Path(__file__).with_name("http_api_event.json").read_text()
