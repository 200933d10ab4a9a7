"""Calls the application in this process, as a server would."""

import asyncio
from collections.abc import Mapping
from typing import Any, TypeAlias

import httpx
from starlette.types import ASGIApp

from pipeline_api.ingest.batch import JSON, NDJSON

Headers: TypeAlias = Mapping[str, str]

AS_JSON: Headers = {"Content-Type": JSON}
AS_NDJSON: Headers = {"Content-Type": NDJSON}
GZIP: Headers = {"Content-Encoding": "gzip"}


class Api:
    """An exception of the application becomes the response that a caller gets."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        return asyncio.run(self._call(method, path, request))

    def get(self, path: str, **parameters: str | int) -> httpx.Response:
        return self.call("GET", path, params=parameters or None)

    def ingest(self, body: bytes, *headers: Headers) -> httpx.Response:
        return self.call("POST", "/ingest", content=body, headers={k: v for each in headers for k, v in each.items()})

    async def _call(self, method: str, path: str, request: Mapping[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
            return await client.request(method, path, **request)
