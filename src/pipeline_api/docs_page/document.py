"""GET /openapi.json."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse


def document_routes(document: Callable[[], dict[str, Any]]) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/openapi.json")
    async def openapi(request: Request) -> JSONResponse:
        """Behind a prefix the document names it as its server, so that "Try it out" calls where the page came from."""
        prefix = request.scope.get("root_path", "")
        return JSONResponse(document() | ({"servers": [{"url": prefix}]} if prefix else {}))

    return router
