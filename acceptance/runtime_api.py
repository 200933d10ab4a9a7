"""The side of Lambda that a function talks to: the Runtime API, on a loopback port.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

Event = dict[str, Any]
_INVOCATION = re.compile(r"/2018-06-01/runtime/invocation/(?P<request>[^/]+)/(?P<outcome>response|error)")


@dataclass(frozen=True)
class Outcome:
    """`answer` is what the handler returned, or Lambda's error document where `failed`."""

    answer: Any
    failed: bool
    seconds: float


@dataclass
class RuntimeApi:
    """One invocation at a time, as Lambda runs one environment."""

    events: "SimpleQueue[Event]" = field(default_factory=SimpleQueue)
    outcomes: "SimpleQueue[Outcome]" = field(default_factory=SimpleQueue)
    ready: threading.Event = field(default_factory=threading.Event)
    init_error: str | None = None
    handed_over: float = 0.0
    timeout_seconds: int = 60

    def invoke(self, event: Event) -> Outcome:
        self.events.put(event)
        return self.outcomes.get(timeout=self.timeout_seconds)

    def next_event(self) -> Event:
        self.ready.set()
        event = self.events.get()
        self.handed_over = time.perf_counter()
        return event

    def ended(self, answer: Any, *, failed: bool) -> None:
        self.outcomes.put(Outcome(answer, failed, time.perf_counter() - self.handed_over))


@contextmanager
def served(api: RuntimeApi) -> Iterator[str]:
    """`host:port`, as AWS_LAMBDA_RUNTIME_API has it."""
    server = _Server(("127.0.0.1", 0), _handler_of(api))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        """A function that is ended while it waits resets its connection."""


def _handler_of(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet, or the kernel waits 40 ms between them

        def do_GET(self) -> None:
            body = json.dumps(api.next_event()).encode()
            deadline = int((time.time() + api.timeout_seconds) * 1000)
            arn = "arn:aws:lambda:us-east-1:000000000000:function:proof"
            self._answer(200, body, {"Deadline-Ms": str(deadline), "Invoked-Function-Arn": arn})

        def do_POST(self) -> None:
            text = self._body()
            if found := _INVOCATION.fullmatch(self.path):
                api.ended(json.loads(text), failed=found["outcome"] == "error")
            else:
                api.init_error = text
                api.ready.set()
            self._answer(202, b"{}", {})

        def _body(self) -> str:
            if "Content-Length" in self.headers:
                return self.rfile.read(int(self.headers["Content-Length"])).decode()
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks).decode()

        def _answer(self, status: int, body: bytes, lambda_headers: dict[str, str]) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            self.send_header("Lambda-Runtime-Aws-Request-Id", str(uuid4()))
            for name, value in lambda_headers.items():
                self.send_header(f"Lambda-Runtime-{name}", value)
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, *_arguments: object) -> None:
            """Nothing: a proof prints what it measured and no more."""

    return Handler
