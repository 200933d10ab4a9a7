"""The application, put together from what it is given: it reads no environment and makes no client."""

from collections.abc import Callable
from typing import Any

import uuid6
from fastapi import FastAPI
from starlette.types import ASGIApp

from invoices.line import Line
from pipeline_api import health
from pipeline_api.about import ABOUT
from pipeline_api.docs_page import page
from pipeline_api.fault_handlers import FAULT_HANDLERS
from pipeline_api.ingest.route import ingest_routes
from pipeline_api.ingest.stream import Stream
from pipeline_api.problem_docs import schemas_of
from pipeline_api.problems import ParametersProblem, Problem, RowsProblem
from pipeline_api.reads.customer_routes import customer_routes
from pipeline_api.reads.invoice_routes import invoice_routes
from pipeline_api.reads.tables import Tables
from pipeline_api.running import Run
from pipeline_api.security_headers import SecurityHeaders


class InvoiceApi(FastAPI):
    """FastAPI, with the schemas that routes name by reference in its document."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document["components"]["schemas"] |= schemas_of(Line, Problem, RowsProblem, ParametersProblem)
        return document


def create_app(stream: Stream, tables: Tables, run: Run, new_batch_id: Callable[[], str] | None = None) -> ASGIApp:
    """`run` calls the blocking core; `new_batch_id` names batches that came without a key (default: UUIDv7)."""
    api = InvoiceApi(**ABOUT, docs_url=None, redoc_url=None, redirect_slashes=False, exception_handlers=FAULT_HANDLERS)
    api.include_router(ingest_routes(stream, run, new_batch_id or _uuid7))
    api.include_router(invoice_routes(tables, run))
    api.include_router(customer_routes(tables, run))
    api.include_router(health.router)
    api.include_router(page.router)
    return SecurityHeaders(api)


def _uuid7() -> str:
    return str(uuid6.uuid7())
