"""A plain address on the loopback for the deployed API, as a person would type one.

The emulator's own has a long path and a certificate that nobody trusts, and the client heeds no environment variable
that would make it, because a loopback address needs none.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

_OF_ONE_CONNECTION = frozenset({"connection", "content-length", "host", "transfer-encoding", "content-encoding"})


@contextmanager
def http_proxy(inside: httpx.Client) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(inside))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _handler_of(inside: httpx.Client) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._forward()

        def do_POST(self) -> None:
            self._forward()

        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = inside.request(self.command, self.path, content=body, headers=self._passed_on())
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name not in _OF_ONE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def _passed_on(self) -> dict[str, str]:
            own = _OF_ONE_CONNECTION - {"content-encoding"}
            return {name: value for name, value in self.headers.items() if name.lower() not in own}

        def log_message(self, *_arguments: object) -> None:
            """Nothing: a proof prints what it measured and no more."""

    return Handler
