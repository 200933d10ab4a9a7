"""The API as the client sees it: it validates rows as the real one does, and fails on demand."""

import gzip
import json
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeAlias

import httpx

from invoices.errors import RowError
from invoices.line import Line, line_id, numbers_in_batch
from invoices.rows import read_ndjson

Reply: TypeAlias = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def problem(status: int, title: str, detail: str = "", **headers: str) -> httpx.Response:
    """A problem document with these headers (`Retry_After` becomes `Retry-After`)."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"title": title, "detail": detail}, headers=names)


class FakeApi:
    """Answers each request with the next of `replies`; once they are used up, as the API does."""

    def __init__(self, replies: Iterable[Reply] = ()) -> None:
        self.requests: list[httpx.Request] = []
        self.lines: dict[str, Line] = {}
        self.batches: list[list[Line]] = []
        self.replies = deque(replies)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.popleft() if self.replies else self.ingest
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx.Response) else reply(request)

    @property
    def keys(self) -> list[str]:
        return [request.headers["Idempotency-Key"] for request in self.requests]

    def ingest(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["Idempotency-Key"]
        rows = read_ndjson(gzip.decompress(request.content))
        self.batches.append(rows.lines)
        numbers = numbers_in_batch(rows.lines)
        self.lines |= {line_id(line, key, number): line for line, number in zip(rows.lines, numbers, strict=True)}
        errors = [_error(each) for each in rows.errors]
        if not rows.lines:
            return httpx.Response(422, json={"title": "No valid row", "errors": errors})
        answer = {"batch_id": key, "accepted": len(rows.lines), "rejected": rows.rejected, "errors": errors}
        return httpx.Response(202, json=answer)


def sent_rows(request: httpx.Request) -> list[dict[str, object]]:
    return [json.loads(line) for line in gzip.decompress(request.content).splitlines()]


def _error(error: RowError) -> dict[str, object]:
    return {"index": error.index, "field": error.field, "message": error.message}
