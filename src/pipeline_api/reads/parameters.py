"""The parameters of the queries: what FastAPI checks before a route runs."""

from typing import Annotated

from fastapi import Path, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from invoices.fields import InvoiceId
from invoices.normal_forms import ID_PATTERN
from pipeline_api.reads.page_token import LONGEST_TOKEN


def _shown_as(example: str) -> WithJsonSchema:
    """FastAPI leaves out the examples of a parameter whose type has a schema of its own."""
    return WithJsonSchema({"type": "string", "pattern": ID_PATTERN, "examples": [example]})


_Invoice = Annotated[InvoiceId, _shown_as("536365")]
_Customer = Annotated[InvoiceId, _shown_as("17850")]

InvoiceInPath = Annotated[_Invoice, Path(description="The invoice's number.")]
CustomerInPath = Annotated[_Customer, Path(description="The customer's number.")]
_Token = Annotated[
    str | None,
    Field(max_length=LONGEST_TOKEN, description="`next_token` of the answer before; leave it out for the first page."),
]


REPEATED = "repeated"
"""The type of error that says so, beside pydantic's own."""


async def each_parameter_once(request: Request) -> None:
    """FastAPI would take the last of several in silence. Raises RequestValidationError."""
    names = [name for name, _ in request.query_params.multi_items()]
    if len(names) > len(set(names)):
        raise RequestValidationError([{"type": REPEATED, "loc": ("query", ""), "msg": ""}])


class _Known(BaseModel):
    """A misspelt parameter must not be ignored."""

    model_config = ConfigDict(extra="forbid")


class LinesPage(_Known):
    limit: Annotated[int, Field(ge=1, le=5000, description="Lines in the answer, at most.")] = 5000
    next_token: _Token = None


class InvoicesPage(_Known):
    limit: Annotated[int, Field(ge=1, le=100, description="Invoices in the answer, at most.")] = 20
    next_token: _Token = None


class InvoiceQuery(LinesPage):
    InvoiceNo: Annotated[_Invoice, Field(description="The invoice's number.")]


class CustomerQuery(_Known):
    CustomerID: Annotated[_Customer, Field(description="The customer's number.")]


class NoQuery(_Known):
    """The route takes no query parameter."""
