"""GET /customers: by path, by query as ever, and the invoices of one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from pipeline_api.problem_docs import read_problems
from pipeline_api.reads.answers import CustomerAnswer, CustomerInvoicesAnswer
from pipeline_api.reads.customer import read_customer
from pipeline_api.reads.customer_invoices import read_customer_invoices
from pipeline_api.reads.json_answer import json_answer
from pipeline_api.reads.parameters import CustomerInPath, CustomerQuery, InvoicesPage, NoQuery, each_parameter_once
from pipeline_api.reads.tables import Tables
from pipeline_api.running import Run

_PROBLEMS = read_problems("customer", "CustomerID", paged=False)
_PAGED_PROBLEMS = read_problems("customer", "CustomerID", paged=True)


def customer_routes(tables: Tables, run: Run) -> APIRouter:
    router = APIRouter(tags=["customers"], dependencies=[Depends(each_parameter_once)])

    @router.get(
        "/customers/{CustomerID}",
        summary="A customer",
        operation_id="customer",
        response_model=CustomerAnswer,
        responses=_PROBLEMS,
    )
    async def customer(CustomerID: CustomerInPath, _: Annotated[NoQuery, Query()]) -> Response:
        """Totals over all lines of the customer."""
        return json_answer(await run(read_customer, tables, CustomerID))

    @router.get(
        "/customers",
        summary="A customer, by query",
        operation_id="customer_by_query",
        response_model=CustomerAnswer,
        responses=_PROBLEMS,
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
