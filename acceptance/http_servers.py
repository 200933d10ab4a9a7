"""HTTP servers on a loopback port: for any handler, and a proxy that notes each request that passes through it."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

import httpx

Note: TypeAlias = Callable[[BaseHTTPRequestHandler, bytes], object]
"""Gets a request, its body apart."""

_OF_ONE_CONNECTION = frozenset({"connection", "content-length", "host", "transfer-encoding"})


class LoopbackHandler(BaseHTTPRequestHandler):
    """Reads bodies of both forms. Prints nothing: a test prints what it measured and no more."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the kernel waits 40 ms between headers and body

    def body(self) -> bytes:
        if "Transfer-Encoding" not in self.headers:
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def answer(self, status: int, body: bytes, headers: Iterable[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def serve(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """`host:port` of a server that runs inside the block."""
    with _Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


@contextmanager
def http_proxy(target: httpx.Client, note: Note = lambda _request, _body: None) -> Iterator[str]:
    """A plain address that leads to the target, whatever its path and its certificate are."""

    class Proxy(LoopbackHandler):
        def forward(self) -> None:
            body = self.body()
            note(self, body)
            with target.stream(self.command, self.path, content=body, headers=_passed_on(self.headers)) as answer:
                content = b"".join(answer.iter_raw())
            length = answer.headers.get("content-length", "0") if self.command == "HEAD" else str(len(content))
            headers = [*_passed_on(answer.headers).items(), ("Content-Length", length)]
            self.answer(answer.status_code, content, headers)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward

    with serve(Proxy) as address:
        yield f"http://{address}"


def _passed_on(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _OF_ONE_CONNECTION}


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_arguments: object) -> None:
        """A process that is ended while it waits for a response resets its connection."""
