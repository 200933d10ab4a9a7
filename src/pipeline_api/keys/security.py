"""The key in front of a route, and in the OpenAPI document: from there the docs page has its Authorize button."""

from fastapi.params import Security
from fastapi.security import APIKeyHeader
from starlette.requests import HTTPConnection

from pipeline_api.keys.gate import Admit
from pipeline_api.keys.stored_key import Scope
from pipeline_api.running import Run

_HEADER = "X-Api-Key"
_DESCRIPTION = (
    "`<id>.<secret>`, as `python -m pipeline_ops keys create` prints it; `make run` makes one. "
    "A key has scopes: `ingest` to send rows, `read` to ask for them."
)


class _KeyNeeded(APIKeyHeader):
    """Reads the header by itself: handed over by FastAPI it costs ten microseconds more."""

    def __init__(self, admit: Admit, run: Run, scope: Scope | None) -> None:
        super().__init__(name=_HEADER, scheme_name="ApiKey", description=_DESCRIPTION)
        self._admit = admit
        self._run = run
        self._scope = scope

    async def __call__(self, request: HTTPConnection) -> None:
        await self._run(self._admit, request.headers.get(_HEADER), self._scope)


def needs_key(admit: Admit, run: Run, scope: Scope | None) -> Security:
    """A dependency for routers: the caller needs a key with this scope, or just a key where it is None."""
    return Security(_KeyNeeded(admit, run, scope), scopes=[scope] if scope else [])
