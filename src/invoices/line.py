"""A line: one valid row of an invoice, the id by which it is recognised when it is sent again, and what holds of it.

A row is a statement about its line: there is this line, or, with `Withdrawn`, the line is taken back.
"""

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from invoices import fields


class Line(BaseModel):
    """One row of an invoice, validated; each value has its normal form.

    Field names are those of the CSV. An unknown field is an error: a misspelt `CustomerId` must not become a row
    without a customer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    InvoiceNo: Annotated[fields.InvoiceId, Field(examples=["536365", "C536379"])]
    StockCode: Annotated[fields.StockCode, Field(examples=["85123A"])]
    Description: Annotated[fields.Description, Field(examples=["WHITE HANGING HEART T-LIGHT HOLDER"])] = None
    Quantity: Annotated[fields.Quantity, Field(examples=[6])]
    InvoiceDate: fields.InvoiceDate
    UnitPrice: Annotated[fields.UnitPrice, Field(examples=["2.55"])]
    CustomerID: Annotated[fields.CustomerId, Field(examples=["17850"])] = None
    Country: Annotated[fields.Country, Field(examples=["United Kingdom"])]
    Occurrence: Annotated[fields.Occurrence, Field(examples=[1])] = None
    AsOf: Annotated[fields.AsOf, Field(examples=["2026-11-26T09:00:00Z"])] = None
    Withdrawn: Annotated[fields.Withdrawn, Field(examples=[True])] = False

    @property
    def is_ordinary(self) -> bool:
        """The row states no more than that there is this line."""
        return not (self.AsOf or self.Withdrawn)

    @property
    def is_about_own_batch(self) -> bool:
        """The row states something about a line that its batch id identifies. Only `ops withdraw` makes such rows."""
        return not (self.Occurrence or self.is_ordinary)


def statement_that_holds(one: Line, other: Line) -> Line:
    """Of two statements about one line: the later one, and of two as of the same instant the withdrawal.

    It is a maximum. So any number of statements gives the same result in every order, however often each arrives.
    """
    return max(one, other, key=statement_strength)


def statement_strength(line: Line) -> tuple[str, bool]:
    """Statements about one line compare like this: a row without AsOf is the weakest."""
    return line.AsOf or "", line.Withdrawn


def line_id(line: Line, batch_id: str, number: int) -> str:
    """24 hexadecimal digits that identify the line within its invoice.

    With `Occurrence` the id depends on the content alone, so a row that is sent again in any batch is the same line.
    Without it the id also depends on `batch_id` and on `number`: the row is the n-th of its batch with this content. So
    a batch that is sent again under its id, mended or in another order, has the same lines.
    """
    return line_id_from_content(content(line), line.Occurrence, batch_id, number)


def numbers_in_batch(lines: Iterable[Line]) -> list[int]:
    """The `number` of each line, from 1, where `lines` are all valid rows of a batch. 0 for lines with `Occurrence`."""
    seen: Counter[tuple[str, ...]] = Counter()
    numbers: list[int] = []
    for line in lines:
        if line.Occurrence:
            numbers.append(0)
        else:
            texts = content(line)
            seen[texts] += 1
            numbers.append(seen[texts])
    return numbers


def line_id_from_content(texts: tuple[str, ...], occurrence: int | None, batch_id: str, number: int) -> str:
    """Like line_id, for callers that need the line's `content` for something else, too."""
    place = f"#{occurrence}" if occurrence else f"@{batch_id}@{number}"
    text = _SEPARATOR.join((*texts, place))
    return blake2b(text.encode(), digest_size=_ID_BYTES).hexdigest()


_ID_BYTES = 12
_SEPARATOR = "\x1f"  # no field may hold it, so the joined texts of two different rows are different


CONTENT_FIELDS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
"""The columns of a CSV, in the order of `content`."""


def content(line: Line) -> tuple[str, ...]:
    """The normal form of a line's eight fields as text. None becomes empty text, as in a CSV."""
    return (
        line.InvoiceNo,
        line.StockCode,
        line.Description or "",
        str(line.Quantity),
        line.InvoiceDate,
        format(line.UnitPrice, "f"),
        line.CustomerID or "",
        line.Country,
    )
