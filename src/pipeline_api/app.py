"""The application, put together from what it is given: it reads no environment and makes no client."""

from collections.abc import Callable
from functools import partial
from typing import Any

import uuid6
from fastapi import APIRouter, FastAPI, params
from starlette.types import ASGIApp

from invoices.line import Line
from pipeline_api import health
from pipeline_api.about import ABOUT
from pipeline_api.docs_page import page
from pipeline_api.docs_page.document import document_routes
from pipeline_api.fault_handlers import FAULT_HANDLERS
from pipeline_api.ingest.route import ingest_routes
from pipeline_api.keys.security import needs_key
from pipeline_api.keys.stored_key import Scope
from pipeline_api.problem_docs import KEY_PROBLEMS, schemas_of
from pipeline_api.problems import ParametersProblem, Problem, RowsProblem
from pipeline_api.reads.customer_routes import customer_routes
from pipeline_api.reads.invoice_routes import invoice_routes
from pipeline_api.running import Run
from pipeline_api.security_headers import SecurityHeaders
from pipeline_api.services import Services


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
    api.include_router(health.router)
    for docs in (page.router, document_routes(api.openapi)):
        api.include_router(docs, dependencies=[] if open_docs else [keys(None)])
    return SecurityHeaders(api)


def _include(api: FastAPI, routes: APIRouter, key: params.Security) -> None:
    api.include_router(routes, dependencies=[key], responses=KEY_PROBLEMS)


def _uuid7() -> str:
    return str(uuid6.uuid7())
