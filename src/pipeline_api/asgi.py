"""What surrounds the application: ASGI middleware, and how a route runs blocking code.

The application itself is the same under uvicorn and on Lambda.
"""

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

P = ParamSpec("P")
T = TypeVar("T")


class RunBlocking(Protocol):
    """Runs a blocking function for a route: `run_inline`, or Starlette's `run_in_threadpool`."""

    async def __call__(self, func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T: ...


async def run_inline(func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run in this thread. It is right on Lambda, where an instance serves one request at a time."""
    return func(*args, **kwargs)


class StagePrefix:
    """Sets `root_path` to the stage of API Gateway, if the path that the caller used starts with it.

    A custom domain has a stage too, but its paths do not start with it. A REST API removes the stage from `path` and
    leaves it in `requestContext.path`; an HTTP API leaves it in both.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = scope["aws.event"]["requestContext"]
        prefix = f"/{context['stage']}"
        path = unquote(context["path"]) if "path" in context else scope["path"]
        if path == prefix or path.startswith(prefix + "/"):
            scope["root_path"] = prefix
            scope["path"] = path
        await self._app(scope, receive, send)


class HeadAsGet:
    """Answers HEAD as GET, without the body. `Content-Length` is that of the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, send_without_body)


class ArrivalTime:
    """Sets `request.state.arrived_at`, a time of `clock`, before the application does anything."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float]) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["arrived_at"] = self._clock()
        await self._app(scope, receive, send)


_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class SecurityHeaders:
    """Adds the security headers to every response, errors included. A header that the response has stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
