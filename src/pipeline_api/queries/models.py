"""The parameters of the queries: what FastAPI checks before a route runs."""

import base64
import binascii
from hashlib import blake2b
from typing import Annotated

from fastapi import Path, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from invoices.errors import Malformed
from invoices.fields import InvoiceId
from invoices.normal_forms import ID_PATTERN

# Where the next page begins, as a text that callers hand back and need not understand.

LONGEST_TOKEN = 100
_SEAL_BYTES = 9


def page_token(query: str, position: str) -> str:
    """A token for the page of `query` behind `position`."""
    place = position.encode()
    return base64.urlsafe_b64encode(_seal(query, place) + place).decode().rstrip("=")


def position_in(token: str, query: str) -> str:
    """Raises Malformed for a token that was changed, or that another query answered.

    The seal finds mistakes; it is no secret. Whoever makes a token by hand reads what the query would show anyway.
    """
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        position = sealed[_SEAL_BYTES:].decode()
    except (binascii.Error, ValueError):
        raise _not_ours() from None
    if page_token(query, position) != token:
        raise _not_ours()
    return position


def _seal(query: str, place: bytes) -> bytes:
    return blake2b(place, digest_size=_SEAL_BYTES, key=blake2b(query.encode()).digest()).digest()


def _not_ours() -> Malformed:
    return Malformed("next_token is not one that this query answered")


# What the queries answer. Money is text with at least two decimals.

MOST_VALUES = 1_000
"""Distinct dates, customers or countries that an answer lists: with them it stays below Lambda's 6 MB."""

_Money = Annotated[str, Field(pattern=r"^-?\d+\.\d{2,}$")]
_Token = Annotated[str | None, Field(description="Asks for the next page; null on the last one.")]


class LineAnswer(BaseModel):
    """One line of an invoice; `amount` is quantity times unit price."""

    StockCode: Annotated[str, Field(examples=["85123A"])]
    Description: Annotated[str | None, Field(examples=["WHITE HANGING HEART T-LIGHT HOLDER"])]
    Quantity: Annotated[int, Field(examples=[6])]
    InvoiceDate: Annotated[str, Field(examples=["2010-12-01T08:26:00"])]
    UnitPrice: Annotated[_Money, Field(examples=["2.55"])]
    CustomerID: Annotated[str | None, Field(examples=["17850"])]
    Country: Annotated[str, Field(examples=["United Kingdom"])]
    Occurrence: Annotated[int | None, Field(examples=[1])]
    amount: Annotated[_Money, Field(examples=["15.30"])]


class InvoiceAnswer(BaseModel):
    """Totals, dates, customers and countries (1,000 of each at most) are of all lines; `lines` is one page of them."""

    InvoiceNo: Annotated[str, Field(examples=["536365"])]
    dates: Annotated[list[str], Field(examples=[["2010-12-01T08:26:00"]])]
    customers: Annotated[list[str], Field(examples=[["17850"]])]
    countries: Annotated[list[str], Field(examples=[["United Kingdom"]])]
    line_count: Annotated[int, Field(examples=[1])]
    quantity: Annotated[int, Field(examples=[6])]
    total: Annotated[_Money, Field(examples=["15.30"])]
    lines: list[LineAnswer]
    next_token: Annotated[_Token, Field(examples=[None])]


class CustomerAnswer(BaseModel):
    """What all lines of a customer add up to."""

    CustomerID: Annotated[str, Field(examples=["17850"])]
    countries: Annotated[list[str], Field(examples=[["United Kingdom"]])]
    first_date: Annotated[str, Field(examples=["2010-12-01T08:26:00"])]
    last_date: Annotated[str, Field(examples=["2010-12-02T15:27:00"])]
    invoice_count: Annotated[int, Field(examples=[34])]
    line_count: Annotated[int, Field(examples=[312])]
    quantity: Annotated[int, Field(examples=[1733])]
    total: Annotated[_Money, Field(examples=["5391.21"])]


class CustomerInvoice(BaseModel):
    """A customer's own lines of one invoice, added up."""

    InvoiceNo: Annotated[str, Field(examples=["536365"])]
    dates: Annotated[list[str], Field(examples=[["2010-12-01T08:26:00"]])]
    line_count: Annotated[int, Field(examples=[7])]
    quantity: Annotated[int, Field(examples=[40])]
    total: Annotated[_Money, Field(examples=["139.12"])]


class CustomerInvoicesAnswer(BaseModel):
    """One page of a customer's invoices, in order of their numbers."""

    CustomerID: Annotated[str, Field(examples=["17850"])]
    invoices: list[CustomerInvoice]
    next_token: Annotated[_Token, Field(examples=[None])]


def _shown_as(example: str) -> WithJsonSchema:
    """FastAPI leaves out the examples of a parameter whose type has a schema of its own."""
    return WithJsonSchema({"type": "string", "pattern": ID_PATTERN, "examples": [example]})


_Invoice = Annotated[InvoiceId, _shown_as("536365")]
_Customer = Annotated[InvoiceId, _shown_as("17850")]

InvoiceInPath = Annotated[_Invoice, Path(description="The invoice's number.")]
CustomerInPath = Annotated[_Customer, Path(description="The customer's number.")]
_NextToken = Annotated[
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
    next_token: _NextToken = None


class InvoicesPage(_Known):
    limit: Annotated[int, Field(ge=1, le=100, description="Invoices in the answer, at most.")] = 20
    next_token: _NextToken = None


class InvoiceQuery(LinesPage):
    InvoiceNo: Annotated[_Invoice, Field(description="The invoice's number.")]


class CustomerQuery(_Known):
    CustomerID: Annotated[_Customer, Field(description="The customer's number.")]


class NoQuery(_Known):
    """The route takes no query parameter."""
