"""AWS's three services and the ingest API on loopback: a server that says yes, in a process of its own."""

import gzip
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bench.counts import Counts
from bench.wire import NO_SUCH_KEY, Wire, set_environment
from local_runtime.environment import machine_environment
from local_runtime.processes import Command, bind_loopback, supervise


@contextmanager
def aws_on_loopback() -> Iterator[str]:
    """Clients that are made inside the block talk to the server, whose address this is. It is stopped at the end."""
    with tempfile.TemporaryDirectory() as folder, supervise() as supervisor, bind_loopback(0) as listener:
        host, port = listener.getsockname()
        arguments = ("bench.loopback:app", "--fd", str(listener.fileno()), "--no-access-log")
        environment = machine_environment(os.environ, Path(folder))
        supervisor.start(Command("the server", "uvicorn", Path(folder, "log"), environment, arguments), listener)
        url = f"http://{host}:{port}"
        set_environment(url)
        yield url


async def _respond(request: Request) -> Response:
    """As one of AWS's services by its target header, as the API by its path, and as S3 to all the rest."""
    body = await request.body()
    operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
    if operation:
        return Response(Wire(Counts()).answer(operation, body), media_type="application/x-amz-json-1.1")
    if request.url.path in {"/ingest", "/row"}:
        return JSONResponse(_ingested(request, body), 202)
    if request.method == "GET":
        return Response(NO_SUCH_KEY, 404, media_type="application/xml")
    return Response(headers={"ETag": '"etag"'})


def _ingested(request: Request, body: bytes) -> dict[str, object]:
    is_gzip = request.headers.get("content-encoding") == "gzip"
    rows = gzip.decompress(body).count(b"\n") + 1 if is_gzip else 0
    return {"batch_id": request.headers.get("idempotency-key", ""), "accepted": rows, "rejected": 0, "errors": []}


app = Starlette(routes=[Route("/{path:path}", _respond, methods=["GET", "PUT", "POST"])])
