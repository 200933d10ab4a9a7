"""Events as API Gateway makes them of a request: those that AWS documents for each form, for another request."""

import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

Event: TypeAlias = dict[str, Any]

_EVENTS = Path(__file__).parent / "events"


def event_for(form: str, path: str) -> Event:
    """A GET. `form` is the name of a file in `events/`."""
    event: Event = json.loads((_EVENTS / f"{form}.json").read_text().replace("/docs", path))
    return event


def post_event(form: str, path: str, body: bytes, headers: Mapping[str, str]) -> Event:
    """A body that is not UTF-8 comes as base64, and a REST API repeats each header as a list."""
    event = event_for(form, path)
    if form.startswith("rest"):
        event["httpMethod"] = "POST"
    else:
        event["requestContext"]["http"]["method"] = "POST"
    return with_headers(event, {**headers, "content-length": str(len(body))}) | _body(body)


def with_headers(event: Event, headers: Mapping[str, str]) -> Event:
    added = {"headers": event["headers"] | headers}
    if "multiValueHeaders" in event:
        added["multiValueHeaders"] = event["multiValueHeaders"] | {name: [value] for name, value in headers.items()}
    return event | added


def _body(body: bytes) -> Event:
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": b64encode(body).decode(), "isBase64Encoded": True}
