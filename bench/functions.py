"""Our Lambda functions, started in this process as Lambda starts them, and the events that Lambda hands to them."""

import json
import os
import sys
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, TypeAlias

from aws.lambda_events import KinesisEvent
from bench.designs import lambda_function
from bench.wire import API_KEY
from local_runtime.event_source_mapping import StreamRecord, VirtualClock, events
from local_runtime.handlers import LambdaContext, import_handler

Handler: TypeAlias = Callable[[Any, Any], Any]
Log: TypeAlias = Callable[[str], object]
"""Gets what an invocation printed: its lines in CloudWatch."""

CONTEXT = LambdaContext("bench", deadline=60, clock=VirtualClock(0))
"""Of an invocation with enough time."""

_STREAM_ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/rows"
_HTTP_API_EVENT = Path(__file__).with_name("http_api_event.json")


def _ignore(_printed: str) -> None:
    """Where time is measured; printed lines would stand between the figures."""


def start(function: str, log: Log = _ignore) -> Handler:
    """Anew each time: an entry makes its clients when it is imported, from boto3's default session."""
    started = lambda_function(function)
    os.environ |= started.environment
    sys.modules.pop(started.handler.rpartition(".")[0], None)
    handler: Handler = import_handler(started.handler)

    def handle(event: Any, context: Any) -> Any:
        with redirect_stdout(StringIO()) as printed:
            answer = handler(event, context)
        log(printed.getvalue())
        return answer

    return handle


def json_request(path: str, body: bytes) -> dict[str, Any]:
    """POST of JSON through an HTTP API, which hands text on as it is."""
    return _request(path, {"content-type": "application/json"}, len(body)) | {"body": body.decode()}


def gzip_request(body: bytes, key: str) -> dict[str, Any]:
    """POST of gzip NDJSON, as the client sends it."""
    headers = {"content-type": "application/x-ndjson", "content-encoding": "gzip", "idempotency-key": key}
    return _request("/ingest", headers, len(body)) | {"body": b64encode(body).decode(), "isBase64Encoded": True}


def _request(path: str, headers: Mapping[str, str], size: int) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(_HTTP_API_EVENT.read_text())
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["headers"] |= {**headers, "x-api-key": API_KEY, "content-length": str(size)}
    return event


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
            answer = handler(event, CONTEXT) or {}
            if answer.get("statusCode", 200) not in (200, 202) or answer.get("batchItemFailures"):
                raise RuntimeError(f"an event was refused: {answer}")

    return run
