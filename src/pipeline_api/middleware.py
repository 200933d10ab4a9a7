"""API Gateway puts a named stage in front of the path; routes and links must know."""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Headers that every answer carries, errors included.

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class SecurityHeaders:
    """Adds each header that an answer does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_to(message)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _add_to(message: MutableMapping[str, Any]) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)


class StagePrefix:
    """Sets `root_path` to the event's stage, but only where the address that the caller used starts with it.

    A custom domain has a stage as well, and its addresses do not carry it. A REST API takes the stage out of `path`
    and leaves it in `requestContext.path`; an HTTP API leaves it in both.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = scope["aws.event"]["requestContext"]
        prefix = f"/{context['stage']}"
        address = unquote(context["path"]) if "path" in context else scope["path"]
        if address == prefix or address.startswith(prefix + "/"):
            scope["root_path"] = prefix
            scope["path"] = address
        await self._app(scope, receive, send)
