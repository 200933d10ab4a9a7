"""A proxy before the emulator that writes down which calls pass through it, whoever makes them.

The library deltalake makes its own calls, which the recorder of botocore's calls does not see.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

_OF_ONE_CONNECTION = frozenset({"connection", "content-length", "transfer-encoding"})
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
    with httpx.Client(base_url=endpoint, timeout=60) as inside:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(inside, calls))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield WireRecorder(f"http://127.0.0.1:{server.server_address[1]}", calls)
        finally:
            server.shutdown()
            server.server_close()


def _calls(method: str, target: str, path: str, body: bytes) -> Iterator[tuple[str, str]]:
    if target.startswith("AmazonSQS."):
        action = target.removeprefix("AmazonSQS.")
        queue = re.findall(rb'"QueueUrl": ?"[^"]*/([^"/]+)"', body)[0].decode()
        yield f"sqs:{_SQS_ACTIONS.get(action, action)}", queue
        return
    if target.startswith(("DynamoDB_", "Kinesis_")):
        service, _, action = target.partition(".")
        request = json.loads(body)
        for resource in request.get("RequestItems") or [request.get("TableName") or request["StreamName"]]:
            yield f"{service.partition('_')[0].lower()}:{action}", resource
        return
    parts = urlsplit(path)
    bucket, _, key = unquote(parts.path).strip("/").partition("/")
    if method == "POST" and "delete" in parse_qs(parts.query, keep_blank_values=True):
        yield from (("s3:DeleteObject", f"{bucket}/{each.decode()}") for each in re.findall(rb"<Key>([^<]+)", body))
    elif key:
        actions = _VERSION_ACTIONS if "versionId" in parse_qs(parts.query) else _OBJECT_ACTIONS
        yield f"s3:{actions[method]}", f"{bucket}/{key}"
    else:
        is_versions = "versions" in parse_qs(parts.query, keep_blank_values=True)
        yield "s3:ListBucketVersions" if is_versions else "s3:ListBucket", bucket


def _handler_of(inside: httpx.Client, calls: list[tuple[str, str]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            calls.extend(_calls(self.command, self.headers.get("X-Amz-Target", ""), self.path, body))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_ONE_CONNECTION}
            with inside.stream(self.command, self.path, content=body, headers=headers) as answer:
                content = b"".join(answer.iter_raw())
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name not in _OF_ONE_CONNECTION:
                    self.send_header(name, value)
            length = answer.headers.get("content-length", "0") if self.command == "HEAD" else str(len(content))
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _forward

        def log_message(self, *_arguments: object) -> None:
            """Nothing: a proof prints what it measured and no more."""

    return Handler
