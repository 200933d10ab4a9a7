"""API Gateway puts a named stage in front of the path; routes and links must know."""

from starlette.types import ASGIApp, Receive, Scope, Send

DEFAULT_STAGE = "$default"


class StagePrefix:
    """Sets `root_path` from the event's stage, but only where the path starts with it.

    A custom domain has a stage as well, and its paths do not carry it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        prefix = "/" + scope["aws.event"]["requestContext"].get("stage", DEFAULT_STAGE)
        if scope["path"] == prefix or scope["path"].startswith(prefix + "/"):
            scope["root_path"] = prefix
        await self._app(scope, receive, send)
