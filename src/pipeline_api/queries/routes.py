"""GET /customers: by path, by query as ever, and the invoices of one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from pipeline_api.openapi import read_problems
from pipeline_api.queries.models import (
    CustomerAnswer,
    CustomerInPath,
    CustomerInvoicesAnswer,
    CustomerQuery,
    InvoiceAnswer,
    InvoiceInPath,
    InvoiceQuery,
    InvoicesPage,
    LinesPage,
    NoQuery,
    each_parameter_once,
)
from pipeline_api.queries.queries import read_customer, read_customer_invoices, read_invoice
from pipeline_api.queries.tables import Tables
from pipeline_api.running import Run

# An answer as JSON, written once by compiled code.


def json_answer(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")


# GET /invoices: by path, and by query as ever.

_PROBLEMS = read_problems("invoice", "InvoiceNo", paged=True)


def invoice_routes(tables: Tables, run: Run) -> APIRouter:
    router = APIRouter(tags=["invoices"], responses=_PROBLEMS, dependencies=[Depends(each_parameter_once)])

    @router.get("/invoices/{InvoiceNo}", summary="An invoice", operation_id="invoice", response_model=InvoiceAnswer)
    async def invoice(InvoiceNo: InvoiceInPath, page: Annotated[LinesPage, Query()]) -> Response:
        """Its totals, and its lines page by page, in the order of their dates and stock codes."""
        return json_answer(await run(read_invoice, tables, InvoiceNo, page))

    @router.get(
        "/invoices", summary="An invoice, by query", operation_id="invoice_by_query", response_model=InvoiceAnswer
    )
    async def invoice_by_query(query: Annotated[InvoiceQuery, Query()]) -> Response:
        """The same answer as `GET /invoices/{InvoiceNo}`."""
        return json_answer(await run(read_invoice, tables, query.InvoiceNo, query))

    return router


_CUSTOMER_PROBLEMS = read_problems("customer", "CustomerID", paged=False)
_PAGED_PROBLEMS = read_problems("customer", "CustomerID", paged=True)


def customer_routes(tables: Tables, run: Run) -> APIRouter:
    router = APIRouter(tags=["customers"], dependencies=[Depends(each_parameter_once)])

    @router.get(
        "/customers/{CustomerID}",
        summary="A customer",
        operation_id="customer",
        response_model=CustomerAnswer,
        responses=_CUSTOMER_PROBLEMS,
    )
    async def customer(CustomerID: CustomerInPath, _: Annotated[NoQuery, Query()]) -> Response:
        """Totals over all lines of the customer."""
        return json_answer(await run(read_customer, tables, CustomerID))

    @router.get(
        "/customers",
        summary="A customer, by query",
        operation_id="customer_by_query",
        response_model=CustomerAnswer,
        responses=_CUSTOMER_PROBLEMS,
    )
    async def customer_by_query(query: Annotated[CustomerQuery, Query()]) -> Response:
        """The same answer as `GET /customers/{CustomerID}`."""
        return json_answer(await run(read_customer, tables, query.CustomerID))

    @router.get(
        "/customers/{CustomerID}/invoices",
        summary="A customer's invoices",
        operation_id="customer_invoices",
        response_model=CustomerInvoicesAnswer,
        responses=_PAGED_PROBLEMS,
    )
    async def customer_invoices(CustomerID: CustomerInPath, page: Annotated[InvoicesPage, Query()]) -> Response:
        """Page by page, in the order of their numbers. Only the customer's own lines of an invoice count."""
        return json_answer(await run(read_customer_invoices, tables, CustomerID, page))

    return router
