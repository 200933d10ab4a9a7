"""GET /console and the files of that page; GET / leads to it."""

import gzip
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

FILES: Final = Path(__file__).parent / "files"
_MEDIA_TYPES: Mapping[str, str] = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_PAGE = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
_CURRENT = {"Cache-Control": "public, max-age=31536000, immutable"}
_OTHER_VERSION = {"Cache-Control": "no-store"}


def console_routes() -> APIRouter:
    """The files hold no data, so they need no key unless the docs need one."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def root(request: Request) -> RedirectResponse:
        """A stage prefix is part of the address."""
        return RedirectResponse(f"{request.scope.get('root_path', '')}/console", 307)

    @router.get("/console")
    async def page(request: Request) -> Response:
        text = (FILES / "index.html").read_text().replace("VERSION", version())
        return _compressed(request, text.encode(), "text/html", _PAGE)

    @router.get("/console/{of}/{name}")
    async def asset(request: Request, of: str, name: str) -> Response:
        """An earlier page that asks during a deployment gets the present file, which is then not cached."""
        path = FILES / name
        if name not in _names() or path.suffix not in _MEDIA_TYPES:
            raise HTTPException(404)
        headers = _CURRENT if of == version() else _OTHER_VERSION
        return _compressed(request, path.read_bytes(), _MEDIA_TYPES[path.suffix], headers)

    return router


def version() -> str:
    """A hash of all files. It is part of their addresses, so each version of a file may be cached for a year."""
    content = blake2b(digest_size=6)
    for name in _names():
        content.update((FILES / name).read_bytes())
    return content.hexdigest()


def _names() -> list[str]:
    return sorted(path.name for path in FILES.iterdir())


def _compressed(request: Request, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """With gzip for whoever takes it; API Gateway compresses nothing."""
    headers = {**headers, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return Response(content, 200, headers, media_type)
    return Response(gzip.compress(content, mtime=0), 200, {**headers, "Content-Encoding": "gzip"}, media_type)
