"""The routes GET /invoices and GET /customers, by path and by query, GET /batches and GET /totals."""

from collections.abc import Callable
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from aws.receipts import ReceiptTable
from aws.rejections import OpenRejections
from aws.totals import TotalsStore
from pipeline_api.asgi import RunBlocking
from pipeline_api.openapi import Responses, problem_responses, service_problems
from pipeline_api.problems import NotFound
from pipeline_api.queries.models import (
    BatchesPage,
    BatchesResponse,
    BatchInPath,
    BatchResponse,
    CustomerInPath,
    CustomerInvoicesResponse,
    CustomerQuery,
    CustomerResponse,
    InvoiceInPath,
    InvoiceQuery,
    InvoiceResponse,
    InvoicesPage,
    LinesPage,
    NoQuery,
    TotalsQuery,
    TotalsResponse,
    foreign_token,
)
from pipeline_api.queries.queries import (
    read_batch_receipt,
    read_batches,
    read_customer,
    read_customer_invoices,
    read_invoice,
    read_totals,
    receipt_not_found,
    too_many_bodies,
    too_many_lines,
)
from pipeline_api.queries.tables import Tables

OpenTotals: TypeAlias = Callable[[], TotalsStore | None]
"""Opens the lake's sums at their first use; None where there is no lake."""


def invoice_routes(tables: Tables, run: RunBlocking) -> APIRouter:
    router = APIRouter(
        tags=["invoices"],
        responses=_PAGE_PROBLEMS | _problems("invoice", "InvoiceNo") | problem_responses(too_many_lines("invoice")),
        dependencies=[Depends(reject_repeated_parameters)],
    )

    @router.get("/invoices/{InvoiceNo}", summary="An invoice", operation_id="invoice", response_model=InvoiceResponse)
    async def invoice(InvoiceNo: InvoiceInPath, page: Annotated[LinesPage, Query()]) -> Response:
        """Its totals, and its lines in pages, sorted by date and stock code."""
        return json_response(await run(read_invoice, tables, InvoiceNo, page))

    @router.get(
        "/invoices", summary="An invoice, by query", operation_id="invoice_by_query", response_model=InvoiceResponse
    )
    async def invoice_by_query(query: Annotated[InvoiceQuery, Query()]) -> Response:
        """The same response as from `GET /invoices/{InvoiceNo}`."""
        return json_response(await run(read_invoice, tables, query.InvoiceNo, query))

    return router


def customer_routes(tables: Tables, run: RunBlocking) -> APIRouter:
    router = APIRouter(
        tags=["customers"],
        responses=_problems("customer", "CustomerID"),
        dependencies=[Depends(reject_repeated_parameters)],
    )

    @router.get(
        "/customers/{CustomerID}",
        summary="A customer",
        operation_id="customer",
        response_model=CustomerResponse,
        responses=_TOTALS_PROBLEMS,
    )
    async def customer(CustomerID: CustomerInPath, _: Annotated[NoQuery, Query()]) -> Response:
        """The totals over all lines of the customer."""
        return json_response(await run(read_customer, tables, CustomerID))

    @router.get(
        "/customers",
        summary="A customer, by query",
        operation_id="customer_by_query",
        response_model=CustomerResponse,
        responses=_TOTALS_PROBLEMS,
    )
    async def customer_by_query(query: Annotated[CustomerQuery, Query()]) -> Response:
        """The same response as from `GET /customers/{CustomerID}`."""
        return json_response(await run(read_customer, tables, query.CustomerID))

    @router.get(
        "/customers/{CustomerID}/invoices",
        summary="A customer's invoices",
        operation_id="customer_invoices",
        response_model=CustomerInvoicesResponse,
        responses=_PAGE_PROBLEMS,
    )
    async def customer_invoices(CustomerID: CustomerInPath, page: Annotated[InvoicesPage, Query()]) -> Response:
        """In pages, sorted by number. Only the customer's own lines of an invoice count.

        A page may have fewer invoices than `limit`: it ends before 20,000 stored lines.
        """
        return json_response(await run(read_customer_invoices, tables, CustomerID, page))

    return router


def batch_routes(receipts: ReceiptTable, open_rejections: OpenRejections, run: RunBlocking) -> APIRouter:
    invalid = {"type": "string_pattern_mismatch", "loc": ("path", "batch_id"), "msg": ""}
    router = APIRouter(
        tags=["batches"],
        responses=problem_responses(RequestValidationError([invalid])) | service_problems("DynamoDB"),
        dependencies=[Depends(reject_repeated_parameters)],
    )

    @router.get(
        "/batches/{batch_id}",
        summary="A batch",
        operation_id="batch",
        response_model=BatchResponse,
        responses=problem_responses(receipt_not_found(), too_many_bodies()),
    )
    async def batch(batch_id: BatchInPath, _: Annotated[NoQuery, Query()]) -> Response:
        """Its receipt. As soon as there is one, every stored row of the batch can be queried.

        A 404 has `Retry-After` while there may be a receipt soon. It has none, and says so, where every row was
        rejected, within an hour of the time in a UUIDv7 batch id, or else in this hour or the one before.
        """
        return json_response(await run(lambda: read_batch_receipt(receipts, open_rejections(), batch_id)))

    @router.get(
        "/batches",
        summary="The latest batches",
        operation_id="batches",
        response_model=BatchesResponse,
        responses=_PAGE_PROBLEMS,
    )
    async def batches(page: Annotated[BatchesPage, Query()]) -> Response:
        """In pages, the last batch to arrive first. A receipt may appear here some milliseconds late."""
        return json_response(await run(read_batches, receipts, page))

    return router


def totals_routes(open_totals: OpenTotals, run: RunBlocking) -> APIRouter:
    invalid = {"type": "string_pattern_mismatch", "loc": ("query", "from"), "msg": ""}
    errors = (NotFound("nothing is in the lake yet"), RequestValidationError([invalid]))
    router = APIRouter(
        tags=["totals"],
        responses=problem_responses(*errors) | service_problems("S3"),
        dependencies=[Depends(reject_repeated_parameters)],
    )

    @router.get("/totals", summary="Sums over all rows", operation_id="totals", response_model=TotalsResponse)
    async def totals(query: Annotated[TotalsQuery, Query()]) -> Response:
        """By day, month or country. Each line counts once; rows that came after `as_of` are not in them yet."""
        return json_response(await run(lambda: read_totals(open_totals(), query)))

    return router


async def reject_repeated_parameters(request: Request) -> None:
    """FastAPI would silently use the last value. Raises RequestValidationError."""
    names = [name for name, _ in request.query_params.multi_items()]
    if len(names) > len(set(names)):
        message = "a query parameter is repeated"
        raise RequestValidationError([{"type": "repeated", "loc": ("query",), "msg": message}])


_PAGE_PROBLEMS = problem_responses(foreign_token())
_TOTALS_PROBLEMS = problem_responses(too_many_lines("customer"))


def _problems(what: str, parameter: str) -> Responses:
    invalid = {"type": "string_pattern_mismatch", "loc": ("query", parameter), "msg": ""}
    errors = (NotFound(f"no such {what}"), RequestValidationError([invalid]))
    return problem_responses(*errors) | service_problems("DynamoDB")


def json_response(response: BaseModel) -> Response:
    """Written by pydantic's compiled code. FastAPI would first validate the response a second time."""
    return Response(response.model_dump_json(), media_type="application/json")
