"""What the queries take and return: parameters, responses and page tokens."""

import base64
import binascii
from hashlib import blake2b
from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from invoices.batch import BATCH_ID_PATTERN
from invoices.errors import Malformed
from invoices.fields import InvoiceId
from invoices.normal_forms import ID_PATTERN

LONGEST_TOKEN = 150
MOST_VALUES = 1_000
"""Distinct dates, customers or countries that a response lists at most, so that it stays below Lambda's 6 MB."""

MOST_WITHDRAWN = 100
"""Withdrawn lines that a response lists at most, for the same reason."""


def _id_schema(example: str) -> WithJsonSchema:
    """FastAPI drops the examples of a parameter whose type has a schema of its own, so they stand in the schema."""
    return WithJsonSchema({"type": "string", "pattern": ID_PATTERN, "examples": [example]})


_InvoiceNo = Annotated[InvoiceId, _id_schema("536365")]
_CustomerID = Annotated[InvoiceId, _id_schema("17850")]
NextToken = Annotated[
    str | None,
    Field(max_length=LONGEST_TOKEN, description="`next_token` of the page before; omit it for the first page."),
]

InvoiceInPath = Annotated[_InvoiceNo, Path(description="The number of the invoice.")]
CustomerInPath = Annotated[_CustomerID, Path(description="The number of the customer.")]
BatchInPath = Annotated[
    str,
    Path(
        pattern=BATCH_ID_PATTERN, description="The id of the batch.", examples=["01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d"]
    ),
]


class StrictQuery(BaseModel):
    """Rejects unknown parameters, because a misspelt one must not be ignored."""

    model_config = ConfigDict(extra="forbid")


class NoQuery(StrictQuery):
    """The route has no query parameters."""


class LinesPage(StrictQuery):
    limit: Annotated[int, Field(ge=1, le=5000, description="The largest number of lines in the response.")] = 5000
    next_token: NextToken = None


class InvoiceQuery(LinesPage):
    InvoiceNo: Annotated[_InvoiceNo, Field(description="The number of the invoice.")]


class CustomerQuery(StrictQuery):
    CustomerID: Annotated[_CustomerID, Field(description="The number of the customer.")]


class InvoicesPage(StrictQuery):
    limit: Annotated[int, Field(ge=1, le=100, description="The largest number of invoices in the response.")] = 20
    next_token: NextToken = None


class BatchesPage(StrictQuery):
    limit: Annotated[int, Field(ge=1, le=100, description="The largest number of batches in the response.")] = 20
    next_token: NextToken = None


Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2010-12-01"])]


class TotalsQuery(StrictQuery):
    first_day: Annotated[Day | None, Field(alias="from", description="The first day, such as 2010-12-01.")] = None
    last_day: Annotated[Day | None, Field(alias="to", description="The last day; it counts, too.")] = None
    by: Annotated[Literal["day", "month", "country"], Field(description="What each sum is of.")] = "month"


_Money = Annotated[str, Field(pattern=r"^-?\d+\.\d{2,}$")]
Token = Annotated[str | None, Field(description="Send it to get the next page; null on the last page.")]


class LineResponse(BaseModel):
    """One line of an invoice. `amount` is quantity times unit price."""

    StockCode: Annotated[str, Field(examples=["85123A"])]
    Description: Annotated[str | None, Field(examples=["WHITE HANGING HEART T-LIGHT HOLDER"])]
    Quantity: Annotated[int, Field(examples=[6])]
    InvoiceDate: Annotated[str, Field(examples=["2010-12-01T08:26:00"])]
    UnitPrice: Annotated[_Money, Field(examples=["2.55"])]
    CustomerID: Annotated[str | None, Field(examples=["17850"])]
    Country: Annotated[str, Field(examples=["United Kingdom"])]
    Occurrence: Annotated[int | None, Field(examples=[1])]
    amount: Annotated[_Money, Field(examples=["15.30"])]


class WithdrawnLine(LineResponse):
    """A line that was taken back, as of an instant; null if its row named none."""

    AsOf: Annotated[str | None, Field(examples=["2026-11-26T09:00:00.000000Z"])]


class InvoiceResponse(BaseModel):
    """`lines` is one page of the lines. All other fields are about all lines; each list has at most 1,000 values.

    Lines that were taken back are in no total: `withdrawn` has the first 100 of them, `withdrawn_count` is how many.
    """

    InvoiceNo: Annotated[str, Field(examples=["536365"])]
    dates: Annotated[list[str], Field(examples=[["2010-12-01T08:26:00"]])]
    customers: Annotated[list[str], Field(examples=[["17850"]])]
    countries: Annotated[list[str], Field(examples=[["United Kingdom"]])]
    line_count: Annotated[int, Field(examples=[1])]
    quantity: Annotated[int, Field(examples=[6])]
    total: Annotated[_Money, Field(examples=["15.30"])]
    lines: list[LineResponse]
    next_token: Annotated[Token, Field(examples=[None])]
    withdrawn_count: Annotated[int, Field(examples=[0])]
    withdrawn: Annotated[list[WithdrawnLine], Field(examples=[[]])]


class CustomerResponse(BaseModel):
    """The totals over all lines of a customer."""

    CustomerID: Annotated[str, Field(examples=["17850"])]
    countries: Annotated[list[str], Field(examples=[["United Kingdom"]])]
    first_date: Annotated[str, Field(examples=["2010-12-01T08:26:00"])]
    last_date: Annotated[str, Field(examples=["2010-12-02T15:27:00"])]
    invoice_count: Annotated[int, Field(examples=[34])]
    line_count: Annotated[int, Field(examples=[312])]
    quantity: Annotated[int, Field(examples=[1733])]
    total: Annotated[_Money, Field(examples=["5391.21"])]


class CustomerInvoice(BaseModel):
    """The totals over a customer's own lines of one invoice.

    They are null, and `dates` is empty, where the invoice has more than 20,000 stored lines or 2,000 slices.
    """

    InvoiceNo: Annotated[str, Field(examples=["536365"])]
    dates: Annotated[list[str], Field(examples=[["2010-12-01T08:26:00"]])]
    line_count: Annotated[int | None, Field(examples=[7])]
    quantity: Annotated[int | None, Field(examples=[40])]
    total: Annotated[_Money | None, Field(examples=["139.12"])]


class CustomerInvoicesResponse(BaseModel):
    """One page of a customer's invoices, sorted by their numbers."""

    CustomerID: Annotated[str, Field(examples=["17850"])]
    invoices: list[CustomerInvoice]
    next_token: Annotated[Token, Field(examples=[None])]


_Instant = Annotated[str, Field(examples=["2026-11-25T12:00:04.125+00:00"])]


class ReceiptResponse(BaseModel):
    """What became of a batch. Its stored rows can be queried. `rows` is the sum of `stored` and `set_aside`.

    `set_aside` counts rows that were accepted and could not be stored; they are kept, each with its reason. A batch id
    that came with several bodies has their sums, the first arrival and the time when all of their rows were queryable.
    """

    batch_id: Annotated[str, Field(examples=["01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d"])]
    rows: Annotated[int, Field(examples=[3])]
    stored: Annotated[int, Field(examples=[3])]
    set_aside: Annotated[int, Field(examples=[0])]
    arrived_at: _Instant
    queryable_at: Annotated[str, Field(examples=["2026-11-25T12:00:04.211+00:00"])]


class BatchResponse(ReceiptResponse):
    """The receipt, and how many rows of the batch were rejected: see `GET /rejections`.

    `rejected` is null where rejected rows are not kept, where S3 fails, and where the batch has more than 200 requests
    with rejected rows. It counts requests within an hour of the time in a UUIDv7 batch id, or else in the hours when
    the batch's bodies arrived. A request counts twice if it was repeated later than that, or in another hour.
    """

    rejected: Annotated[int | None, Field(examples=[0])]


class BatchesResponse(BaseModel):
    """One page of the receipts, the last batch to arrive first. A batch id has an entry for each of its bodies."""

    batches: list[ReceiptResponse]
    next_token: Annotated[Token, Field(examples=[None])]


class GroupTotals(BaseModel):
    """The sums of a day, a month or a country."""

    key: Annotated[str, Field(examples=["2010-12"])]
    line_count: Annotated[int, Field(examples=[42481])]
    quantity: Annotated[int, Field(examples=[342228])]
    total: Annotated[_Money, Field(examples=["746723.61"])]


class TotalsResponse(BaseModel):
    """The sums of each group, sorted by its key, and of all of them. `as_of` is when the lake was last changed."""

    as_of: Annotated[str, Field(examples=["2026-11-25T12:00:04+00:00"])]
    line_count: Annotated[int, Field(examples=[42481])]
    quantity: Annotated[int, Field(examples=[342228])]
    total: Annotated[_Money, Field(examples=["746723.61"])]
    groups: list[GroupTotals]


_SEAL_BYTES = 9


def page_token(query: str, position: str) -> str:
    """The token for the page of `query` that starts after `position`."""
    data = position.encode()
    seal = blake2b(data, digest_size=_SEAL_BYTES, key=blake2b(query.encode()).digest()).digest()
    return base64.urlsafe_b64encode(seal + data).decode().rstrip("=")


def parse_page_token(token: str, query: str) -> str:
    """The position in the token. Raises Malformed if the token was changed or belongs to another query.

    The seal detects mistakes; it is not a secret. A forged token shows nothing that the query would not show anyway.
    """
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        position = sealed[_SEAL_BYTES:].decode()
    except (binascii.Error, ValueError):
        raise foreign_token() from None
    if page_token(query, position) != token:
        raise foreign_token()
    return position


def foreign_token() -> Malformed:
    return Malformed("the next_token does not belong to this query")
