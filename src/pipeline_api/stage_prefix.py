"""API Gateway puts a named stage in front of the path; routes and links must know."""

from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send


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
