"""GET /openapi.json."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

# The page and its files. Each is read when it is asked for; a few times a day at most.

VERSION = "5.35.0"

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE_HEADERS = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
_ASSET_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable"}

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def page() -> Response:
    return _file("index.html", "text/html", _PAGE_HEADERS)


@router.get("/docs/start.js")
async def start() -> Response:
    return _file("start.js", "text/javascript", _PAGE_HEADERS)


@router.get(f"/docs/{VERSION}/swagger-ui.css")
async def style() -> Response:
    return _file("swagger_ui/swagger-ui.css", "text/css", _ASSET_HEADERS)


@router.get(f"/docs/{VERSION}/swagger-ui-bundle.js")
async def bundle() -> Response:
    headers = {**_ASSET_HEADERS, "Content-Encoding": "gzip"}
    return _file("swagger_ui/swagger-ui-bundle.js.gz", "text/javascript", headers)


@router.get(f"/docs/{VERSION}/favicon-32x32.png")
async def icon() -> Response:
    return _file("swagger_ui/favicon-32x32.png", "image/png", _ASSET_HEADERS)


def _file(name: str, media_type: str, headers: Mapping[str, str]) -> Response:
    return Response((_HERE / name).read_bytes(), 200, headers, media_type)


def document_routes(document: Callable[[], dict[str, Any]]) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/openapi.json")
    async def openapi(request: Request) -> JSONResponse:
        """Behind a prefix the document names it as its server, so that "Try it out" calls where the page came from."""
        prefix = request.scope.get("root_path", "")
        return JSONResponse(document() | ({"servers": [{"url": prefix}]} if prefix else {}))

    return router
