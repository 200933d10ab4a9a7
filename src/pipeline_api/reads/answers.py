"""What the queries answer. Money is text with at least two decimals."""

from typing import Annotated

from pydantic import BaseModel, Field

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
