"""The application, put together from what it is given: it reads no environment and makes no client."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import uuid6
from fastapi import APIRouter, FastAPI, params
from pydantic import BaseModel, Field
from starlette.types import ASGIApp

from aws.api_keys import Scope
from aws.metrics import MetricsLog
from invoices.line import Line
from pipeline_api.auth import Admit, needs_key
from pipeline_api.docs_page import routes as page
from pipeline_api.docs_page.routes import document_routes
from pipeline_api.errors import FAULT_HANDLERS, ParametersProblem, Problem, RowsProblem
from pipeline_api.ingest.route import Stream, ingest_routes
from pipeline_api.middleware import SecurityHeaders
from pipeline_api.openapi import KEY_PROBLEMS, schemas_of
from pipeline_api.queries.routes import customer_routes, invoice_routes
from pipeline_api.queries.tables import Tables
from pipeline_api.running import Run

# What the OpenAPI document says of the API as a whole.

_DESCRIPTION = """\
Rows of invoices go in with `POST /ingest`, one or many at a time, and can be queried a moment later, by invoice and
by customer. Every accepted row is kept once: in the raw archive, and in the answers below.

**Sending again is safe.** A row that carries `Occurrence` (1 for the first row with exactly this content in its source,
2 for the second …) counts once, however often and in whichever batch it is sent. The header `Idempotency-Key`
names a batch: use the same key for each retry of the same batch.

**Nothing is dropped in silence.** Each refused row is named with its index, the field and the rule that it broke. The
valid rows of the same batch are taken.

**Money is text**, such as `"139.12"`, so that no program makes a binary fraction of it.

**Errors** are problem details (RFC 9457, `application/problem+json`). After 429 and 503, wait for `Retry-After` seconds
and send the same request again.
"""

ABOUT: dict[str, Any] = {
    "title": "Invoice stream",
    "summary": "Takes batches of invoice rows and answers queries about them.",
    "description": _DESCRIPTION,
    "version": "0.1.0",
    "license_info": {"name": "MIT", "identifier": "MIT"},
    "openapi_tags": [
        {"name": "ingest", "description": "Rows in: one request is one batch."},
        {"name": "invoices", "description": "An invoice with its lines and totals."},
        {"name": "customers", "description": "A customer's totals, and the customer's invoices page by page."},
        {"name": "health", "description": "For load balancers and for waiting until the API is up."},
    ],
}


# What the application asks of the world outside.


@dataclass(frozen=True, slots=True)
class Services:
    stream: Stream
    tables: Tables
    admit: Admit
    metrics: MetricsLog


# Whether the process answers. It asks no other service: a slow table must not take the API down.

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The API answers."""

    status: Annotated[Literal["ok"], Field(examples=["ok"])] = "ok"


@router.get("/healthz", summary="Is the API up?", operation_id="health")
async def health() -> Health:
    """Answers without asking any other service."""
    return Health()


class InvoiceApi(FastAPI):
    """FastAPI, with the schemas that routes name by reference in its document."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document["components"]["schemas"] |= schemas_of(Line, Problem, RowsProblem, ParametersProblem)
        return document


def create_app(
    services: Services, run: Run, *, open_docs: bool = True, new_batch_id: Callable[[], str] | None = None
) -> ASGIApp:
    """`run` calls the blocking core; without `open_docs` the docs need a key, too.

    `new_batch_id` names batches that came without a key of their own (default: UUIDv7).
    """
    api = InvoiceApi(
        **ABOUT, openapi_url=None, docs_url=None, redirect_slashes=False, exception_handlers=FAULT_HANDLERS
    )
    keys = partial(needs_key, services.admit, run)
    _include(api, ingest_routes(services.stream, services.metrics, run, new_batch_id or _uuid7), keys(Scope.INGEST))
    _include(api, invoice_routes(services.tables, run), keys(Scope.READ))
    _include(api, customer_routes(services.tables, run), keys(Scope.READ))
    api.include_router(router)
    for docs in (page.router, document_routes(api.openapi)):
        api.include_router(docs, dependencies=[] if open_docs else [keys(None)])
    return SecurityHeaders(api)


def _include(api: FastAPI, routes: APIRouter, key: params.Security) -> None:
    api.include_router(routes, dependencies=[key], responses=KEY_PROBLEMS)


def _uuid7() -> str:
    return str(uuid6.uuid7())
