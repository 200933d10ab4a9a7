"""Writes down which calls reach an emulator, whoever makes them.

The library deltalake makes its own calls, which the recorder of botocore's calls does not see.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

from acceptance.http_servers import http_proxy

_VERSION_ACTIONS = {"GET": "GetObjectVersion", "DELETE": "DeleteObjectVersion"}
_OBJECT_ACTIONS = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_SQS_ACTIONS = {"DeleteMessageBatch": "DeleteMessage"}  # IAM knows the single call only


@dataclass(frozen=True)
class WireRecorder:
    """`calls` are pairs of an action and `bucket/key`, `bucket` or a queue's name, in their order."""

    url: str
    calls: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def wire_recorder(endpoint: str) -> Iterator[WireRecorder]:
    calls: list[tuple[str, str]] = []
    with (
        httpx.Client(base_url=endpoint, timeout=60) as engine,
        http_proxy(engine, lambda request, body: calls.extend(_calls(request, body))) as url,
    ):
        yield WireRecorder(url, calls)


def _calls(request: BaseHTTPRequestHandler, body: bytes) -> Iterator[tuple[str, str]]:
    service, _, action = request.headers.get("X-Amz-Target", "").partition(".")
    if service == "AmazonSQS":
        queue = re.findall(rb'"QueueUrl": ?"[^"]*/([^"/]+)"', body)[0].decode()
        yield f"sqs:{_SQS_ACTIONS.get(action, action)}", queue
    elif service:
        call = json.loads(body)
        for resource in call.get("RequestItems") or [call.get("TableName") or call["StreamName"]]:
            yield f"{service.partition('_')[0].lower()}:{action}", resource
    else:
        yield from _s3_calls(request.command, request.path, body)


def _s3_calls(method: str, path: str, body: bytes) -> Iterator[tuple[str, str]]:
    parts = urlsplit(path)
    query = parse_qs(parts.query, keep_blank_values=True)
    bucket, _, key = unquote(parts.path).strip("/").partition("/")
    if method == "POST" and "delete" in query:
        yield from (("s3:DeleteObject", f"{bucket}/{each.decode()}") for each in re.findall(rb"<Key>([^<]+)", body))
    elif key:
        actions = _VERSION_ACTIONS if "versionId" in query else _OBJECT_ACTIONS
        yield f"s3:{actions[method]}", f"{bucket}/{key}"
    else:
        yield "s3:ListBucketVersions" if "versions" in query else "s3:ListBucket", bucket
