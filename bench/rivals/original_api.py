"""The original's ingest under uvicorn: a bare ASGI application, so that no framework slows it down.

Every request runs in a thread, as every concurrent request has a Lambda environment of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bench.rivals.original_functions import ingest

_Receive = Callable[[], Awaitable[Mapping[str, Any]]]
_Send = Callable[[Mapping[str, Any]], Awaitable[None]]


async def app(scope: Mapping[str, Any], receive: _Receive, send: _Send) -> None:
    """POST of one row; GET answers that the server is up."""
    if scope["method"] == "GET":
        await _answer(send, 200, "")
        return
    event = {"body": (await _body(receive)).decode()}
    answer: Mapping[str, Any] = await asyncio.to_thread(ingest, event, None)
    await _answer(send, answer["statusCode"], answer["body"])


async def _body(receive: _Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def _answer(send: _Send, status: int, text: str) -> None:
    body = text.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
