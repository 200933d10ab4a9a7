"""GET /invoices: by path, and by query as ever."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from pipeline_api.problem_docs import read_problems
from pipeline_api.reads.answers import InvoiceAnswer
from pipeline_api.reads.invoice import read_invoice
from pipeline_api.reads.json_answer import json_answer
from pipeline_api.reads.parameters import InvoiceInPath, InvoiceQuery, LinesPage, each_parameter_once
from pipeline_api.reads.tables import Tables
from pipeline_api.running import Run

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
