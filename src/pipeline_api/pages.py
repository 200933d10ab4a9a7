"""The pages that a browser opens: /console, to which / leads, and /docs with /openapi.json, which it shows."""

import gzip
from collections.abc import Awaitable, Callable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

CONSOLE: Final = Path(__file__).parent / "console" / "files"
_DOCS = Path(__file__).parent / "docs_page"
_MEDIA_TYPES: Mapping[str, str] = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_CONSOLE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CURRENT = {"Cache-Control": "public, max-age=31536000, immutable"}
_OTHER_VERSION = {"Cache-Control": "no-store"}


def console_routes() -> APIRouter:
    """The files hold no data, so they need no key unless the docs need one."""
    router = APIRouter(include_in_schema=False)
    headers = {"Content-Security-Policy": _CONSOLE_POLICY, "Cache-Control": "no-cache"}

    @router.get("/")
    async def root(request: Request) -> RedirectResponse:
        """A stage prefix is part of the address."""
        return RedirectResponse(f"{request.scope.get('root_path', '')}/console", 307)

    @router.get("/console")
    async def page(request: Request) -> Response:
        text = (CONSOLE / "index.html").read_text().replace("VERSION", version())
        return _compressed(request, text.encode(), "text/html", headers)

    @router.get("/console/{of}/{name}")
    async def asset(request: Request, of: str, name: str) -> Response:
        """An earlier page that asks during a deployment gets the present file, which is then not cached."""
        path = CONSOLE / name
        if name not in _names() or path.suffix not in _MEDIA_TYPES:
            raise HTTPException(404)
        caching = _CURRENT if of == version() else _OTHER_VERSION
        return _compressed(request, path.read_bytes(), _MEDIA_TYPES[path.suffix], caching)

    return router


def version() -> str:
    """A hash of all files. It is part of their addresses, so each version of a file may be cached for a year."""
    content = blake2b(digest_size=6)
    for name in _names():
        content.update((CONSOLE / name).read_bytes())
    return content.hexdigest()


def _names() -> list[str]:
    return sorted(path.name for path in CONSOLE.iterdir())


def _compressed(request: Request, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """With gzip for whoever takes it; API Gateway compresses nothing."""
    headers = {**headers, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return Response(content, 200, headers, media_type)
    return Response(gzip.compress(content, mtime=0), 200, {**headers, "Content-Encoding": "gzip"}, media_type)


_SWAGGER_UI = "5.35.0"
_MAX_AGE_SECONDS = 300  # how long after a deployment a browser may show the old docs
_DOCS_PAGE = {"Content-Security-Policy": _DOCS_POLICY, "Cache-Control": f"public, max-age={_MAX_AGE_SECONDS}"}
_DOCS_FILES: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "/docs": ("index.html", "text/html", _DOCS_PAGE),
    "/docs/start.js": ("start.js", "text/javascript", _DOCS_PAGE),
    f"/docs/{_SWAGGER_UI}/swagger-ui.css": ("swagger_ui/swagger-ui.css", "text/css", _CURRENT),
    f"/docs/{_SWAGGER_UI}/swagger-ui-bundle.js": (
        "swagger_ui/swagger-ui-bundle.js.gz",
        "text/javascript",
        {**_CURRENT, "Content-Encoding": "gzip"},
    ),
    f"/docs/{_SWAGGER_UI}/favicon-32x32.png": ("swagger_ui/favicon-32x32.png", "image/png", _CURRENT),
}
"""By path: the file, its media type and the headers of the response."""


def docs_routes(openapi: Callable[[], dict[str, Any]], *, are_open: bool) -> APIRouter:
    """`openapi` returns the OpenAPI document. Only a document that is open to everybody may be in a shared cache."""
    router = APIRouter(include_in_schema=False)
    document_headers = {"Cache-Control": f"{'public' if are_open else 'private'}, max-age={_MAX_AGE_SECONDS}"}
    for path, (name, media_type, headers) in _DOCS_FILES.items():
        router.add_api_route(path, _file_endpoint(name, media_type, headers))

    @router.get("/openapi.json")
    async def document(request: Request) -> JSONResponse:
        """A stage prefix becomes the document's server, so that "Try it out" calls the API that served the page."""
        prefix = request.scope.get("root_path", "")
        return JSONResponse(openapi() | ({"servers": [{"url": prefix}]} if prefix else {}), headers=document_headers)

    return router


def _file_endpoint(name: str, media_type: str, headers: Mapping[str, str]) -> Callable[[], Awaitable[Response]]:
    """Reads the file at each request: the page is opened a few times a day at most."""

    async def read() -> Response:
        return Response((_DOCS / name).read_bytes(), 200, headers, media_type)

    return read
