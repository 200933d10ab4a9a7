"""The parameters of the queries: what FastAPI checks before a route runs."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from invoices.fields import InvoiceId
from pipeline_api.reads.page_token import LONGEST_TOKEN

InvoiceNo = Annotated[InvoiceId, Field(description="The invoice's number.", examples=["536365", "C536379"])]
CustomerNo = Annotated[InvoiceId, Field(description="The customer's number.", examples=["17850"])]
_Token = Annotated[
    str | None,
    Field(max_length=LONGEST_TOKEN, description="`next_token` of the answer before; leave it out for the first page."),
]


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
    InvoiceNo: InvoiceNo


class CustomerQuery(_Known):
    CustomerID: CustomerNo


class NoQuery(_Known):
    """The route takes no query parameter."""
