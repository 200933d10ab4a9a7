"""GET /docs, the files of that page, and GET /openapi.json, which the page shows."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

_VERSION = "5.35.0"
_FOLDER = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MAX_AGE_SECONDS = 300  # how long after a deployment a browser may show the old page
_PAGE = {"Content-Security-Policy": _POLICY, "Cache-Control": f"public, max-age={_MAX_AGE_SECONDS}"}
_ASSET = {"Cache-Control": "public, max-age=31536000, immutable"}
_FILES: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "/docs": ("index.html", "text/html", _PAGE),
    "/docs/start.js": ("start.js", "text/javascript", _PAGE),
    f"/docs/{_VERSION}/swagger-ui.css": ("swagger_ui/swagger-ui.css", "text/css", _ASSET),
    f"/docs/{_VERSION}/swagger-ui-bundle.js": (
        "swagger_ui/swagger-ui-bundle.js.gz",
        "text/javascript",
        {**_ASSET, "Content-Encoding": "gzip"},
    ),
    f"/docs/{_VERSION}/favicon-32x32.png": ("swagger_ui/favicon-32x32.png", "image/png", _ASSET),
}
"""By path: the file, its media type and the headers of the response."""


def docs_routes(openapi: Callable[[], dict[str, Any]], *, are_open: bool) -> APIRouter:
    """`openapi` returns the OpenAPI document. Only a document that is open to everybody may be in a shared cache."""
    router = APIRouter(include_in_schema=False)
    document_headers = {"Cache-Control": f"{'public' if are_open else 'private'}, max-age={_MAX_AGE_SECONDS}"}
    for path, (name, media_type, headers) in _FILES.items():
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
        return Response((_FOLDER / name).read_bytes(), 200, headers, media_type)

    return read
