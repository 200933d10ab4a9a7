"""The application, built from the services that it is given. It reads no environment and creates no AWS client."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, Field
from starlette.types import ASGIApp

from aws.api_keys import Scope
from aws.metrics import MetricsLog
from aws.receipts import ReceiptTable
from aws.rejections import OpenRejections
from aws.stream import Stream
from invoices.line import Line
from pipeline_api.asgi import ArrivalTime, HeadAsGet, RunBlocking, SecurityHeaders
from pipeline_api.auth import Authorize, require_key
from pipeline_api.error_handlers import EXCEPTION_HANDLERS
from pipeline_api.ingest.route import ingest_routes
from pipeline_api.ingest.waiting import ReceiptWait
from pipeline_api.openapi import component_schemas, problem_responses
from pipeline_api.pages import console_routes, docs_routes
from pipeline_api.problems import Forbidden, ParametersProblem, Problem, RowsProblem, Unauthenticated
from pipeline_api.queries.routes import OpenTotals, batch_routes, customer_routes, invoice_routes, totals_routes
from pipeline_api.queries.tables import Tables
from pipeline_api.rejections import mend_routes, rejection_routes


@dataclass(frozen=True, slots=True)
class Services:
    """What the application needs from outside.

    `keep_rejections` opens the store with short calls, for a request that does not depend on it: one that has rejected
    rows, or one for a receipt. `open_rejections` opens it for a query of rejected rows.
    `open_short_receipts` opens `receipts` with short reads, for a request that waits; without it, they are as they are.
    """

    stream: Stream
    tables: Tables
    receipts: ReceiptTable
    authorize: Authorize
    metrics: MetricsLog
    open_totals: OpenTotals = lambda: None
    keep_rejections: OpenRejections = lambda: None
    open_rejections: OpenRejections = lambda: None
    open_short_receipts: Callable[[], ReceiptTable] | None = None


def create_app(services: Services, run: RunBlocking, *, open_docs: bool = True) -> ASGIApp:
    """`run` calls blocking code. Without `open_docs` the docs and the console need a key as well."""
    app = InvoiceApi(
        title="Invoice stream",
        summary="Accepts batches of invoice rows and answers queries about them.",
        description=_DESCRIPTION,
        version="0.1.0",
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_tags=_TAGS,
        openapi_url=None,
        docs_url=None,
        redirect_slashes=False,
        exception_handlers=dict(EXCEPTION_HANDLERS),
    )
    key_problems = problem_responses(
        Unauthenticated("the header X-Api-Key must have a valid API key"), Forbidden("the API key does not permit this")
    )
    wait = ReceiptWait(services.open_short_receipts or (lambda: services.receipts), run)
    for routes, scope in (
        (
            ingest_routes(services.stream, services.keep_rejections, services.metrics, wait, services.authorize),
            Scope.INGEST,
        ),
        (invoice_routes(services.tables, run), Scope.READ),
        (customer_routes(services.tables, run), Scope.READ),
        (batch_routes(services.receipts, services.keep_rejections, run), Scope.READ),
        (totals_routes(services.open_totals, run), Scope.READ),
        (rejection_routes(services.open_rejections, run), Scope.READ),
        (
            mend_routes(services.stream.put, services.open_rejections, services.metrics, run, services.authorize),
            Scope.INGEST,
        ),
    ):
        key = require_key(services.authorize, run, scope)
        app.include_router(routes, dependencies=[key], responses=key_problems)
    app.include_router(_health_routes())
    any_key = require_key(services.authorize, run, None)
    for pages in (docs_routes(app.openapi, are_open=open_docs), console_routes()):
        app.include_router(pages, dependencies=[] if open_docs else [any_key])
    return ArrivalTime(SecurityHeaders(HeadAsGet(app)), wait.clock)


class InvoiceApi(FastAPI):
    """Adds the schemas that the routes name by reference to FastAPI's OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            document["components"]["schemas"] |= component_schemas(Line, Problem, RowsProblem, ParametersProblem)
        return super().openapi()


class Health(BaseModel):
    """The API answers."""

    status: Annotated[Literal["ok"], Field(examples=["ok"])] = "ok"


def _health_routes() -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Is the API up?", operation_id="health")
    async def health() -> Health:
        """Calls no other service, so that a slow table does not take the API down."""
        return Health()

    return router


_DESCRIPTION = """\
Send rows of invoices with `POST /ingest`, one or many at a time. A moment later you can query them by invoice and by
customer. Every accepted row is stored once: in the raw archive, and in the tables that answer queries.

**Sending again is safe.** A row that has `Occurrence` (1 for the first row with exactly this content in its source,
2 for the second …) counts once, however often it is sent and in whichever batch. The header `Idempotency-Key`
names a batch: use the same key for each retry of the same batch. Then rows without `Occurrence` count once, too, also
if the batch is sent again mended or in another order.

**A line can be taken back.** Send its row again with `Withdrawn` and with `AsOf`, the instant of this statement. Of all
statements about a line the one with the latest `AsOf` holds; a row without `AsOf` is the weakest, and at the same
instant `Withdrawn` holds. So nothing that is delivered or sent again brings the line back. To correct a line, take it
back and send the right one. Both fields need `Occurrence`, and a key with the scope `correct` in addition to `ingest`.

**Nothing is dropped silently.** Each rejected row is listed with its index, the field and the rule that it breaks. The
valid rows of the same batch are accepted. Rejected rows are kept for some weeks: see `GET /rejections`. Mend one with
`POST /rejections/{id}/rows/{index}`: it counts once, however often it is sent.

**Money is text**, such as `"139.12"`, so that no program turns it into a binary fraction.

**Errors** are problem details (RFC 9457, `application/problem+json`). After 429 and 503, wait for `Retry-After` seconds
and send the same request again.
"""

_TAGS = [
    {"name": "ingest", "description": "Send rows: one request is one batch."},
    {"name": "invoices", "description": "An invoice with its lines and totals."},
    {"name": "customers", "description": "The totals of a customer, and the customer's invoices in pages."},
    {"name": "batches", "description": "What became of each batch: its receipt."},
    {"name": "totals", "description": "Exact sums over all rows, each line counted once."},
    {"name": "rejections", "description": "The rejected rows, with their reasons, to mend them and send them again."},
    {"name": "health", "description": "For load balancers, and to wait until the API is up."},
]
