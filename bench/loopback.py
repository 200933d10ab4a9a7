"""A server that says yes: AWS's three services and the ingest API on loopback, doing nothing, in a process of its own.

`python -m bench.loopback` prints its port, and ends when its standard input does.
"""

import asyncio
import gzip
import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.wire import set_environment, stored_key

_LIMIT = 16 * 1024 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_ROOT = Path(__file__).parents[1]


@contextmanager
def aws_on_loopback() -> Iterator[str]:
    """Clients that are made inside the block talk to the server, whose address this is. It is stopped at the end."""
    command = [sys.executable, "-m", "bench.loopback"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT) as process:  # noqa: S603 - ourselves
        if process.stdout is None:
            raise RuntimeError("the server has no output")
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        set_environment(url)
        yield url
        process.communicate()


async def serve() -> None:
    server = await asyncio.start_server(_connection, "127.0.0.1", 0, limit=_LIMIT)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


async def _connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, _, rest = head.partition("\r\n")
            headers = _headers(rest)
            if headers.get("expect") == "100-continue":
                writer.write(_CONTINUE)
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            writer.write(_response(*answer(line, headers, body)))
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        writer.close()


def _headers(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines() if line)
    return {name.lower(): value.strip() for name, _, value in pairs}


def answer(line: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """Status and body: of a service by its target header, of the API by its path, and of S3 for all the rest."""
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if operation:
        return 200, json.dumps(_SERVICES[operation](json.loads(body))).encode()
    if line.startswith(("POST /ingest", "POST /row")):
        return 202, _ingested(headers, body)
    return 200, b""


def _ingested(headers: Mapping[str, str], body: bytes) -> bytes:
    is_gzip = headers.get("content-encoding") == "gzip"
    rows = gzip.decompress(body).count(b"\n") + 1 if is_gzip else 0
    key = headers.get("idempotency-key", "")
    return json.dumps({"batch_id": key, "accepted": rows, "rejected": 0, "errors": []}).encode()


def _put(_call: Mapping[str, Any]) -> dict[str, object]:
    return {"ShardId": "shardId-000000000000", "SequenceNumber": "1"}


def _put_many(call: Mapping[str, Any]) -> dict[str, object]:
    return {"FailedRecordCount": 0, "Records": [_put(call) for _ in call["Records"]]}


_SERVICES: Mapping[str, Callable[[Mapping[str, Any]], dict[str, object]]] = {
    "PutRecord": _put,
    "PutRecords": _put_many,
    "BatchWriteItem": lambda _call: {"UnprocessedItems": {}},
    "UpdateItem": lambda _call: {},
    "GetItem": lambda _call: stored_key(),
}


def _response(status: int, body: bytes) -> bytes:
    etag = b64encode(b"etag").decode()
    kind = "application/json" if status == 202 else "application/x-amz-json-1.1"  # noqa: PLR2004 - accepted
    head = f'HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\nETag: "{etag}"\r\nContent-Length: {len(body)}\r\n\r\n'
    return head.encode() + body


if __name__ == "__main__":
    asyncio.run(serve())
