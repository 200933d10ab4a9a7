"""The key in front of a route, and in the OpenAPI document: from there the docs page has its Authorize button."""

from typing import Annotated

from fastapi import Security
from fastapi.params import Security as SecurityParameter
from fastapi.security import APIKeyHeader

from pipeline_api.keys.gate import Admit
from pipeline_api.keys.stored_key import Scope
from pipeline_api.running import Run

_HEADER = APIKeyHeader(
    name="X-Api-Key",
    scheme_name="ApiKey",
    description=(
        "`<id>.<secret>`, as `python -m pipeline_ops keys create` prints it; `make run` makes one. "
        "A key has scopes: `ingest` to send rows, `read` to ask for them."
    ),
    auto_error=False,  # what is refused is told by a problem of ours
)


def needs_key(admit: Admit, run: Run, scope: Scope | None) -> SecurityParameter:
    """A dependency for routers: the caller needs a key with this scope, or just a key where it is None."""

    async def admitted(text: Annotated[str | None, Security(_HEADER)]) -> None:
        await run(admit, text, scope)

    return SecurityParameter(admitted, scopes=[scope] if scope else [])
