"""What makes a line itself: sending it again must land on it, and a true repeat must not."""

from hashlib import blake2b
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from invoices import fields

# One line of an invoice: a validated row.


class Line(BaseModel):
    """A row that was checked, every value in its one normal form.

    Field names are those of the CSV. Unknown fields are refused: a misspelt `CustomerId` must not become a row
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


_ID_BYTES = 12
_SEPARATOR = "\x1f"  # no field may hold it, so two different rows never join to the same text


def line_id(line: Line, batch_id: str, index: int) -> str:
    """24 hexadecimal digits. With `Occurrence` it depends on content alone; without, on where the row arrived.

    `index` is the row's place in its record, from 0, refused rows counted.
    """
    return line_id_of(content(line), line.Occurrence, batch_id, index)


def line_id_of(texts: tuple[str, ...], occurrence: int | None, batch_id: str, index: int) -> str:
    """The same, from a line's `content` that is at hand already."""
    place = f"#{occurrence}" if occurrence else f"@{batch_id}@{index}"
    text = _SEPARATOR.join((*texts, place))
    return blake2b(text.encode(), digest_size=_ID_BYTES).hexdigest()


def content(line: Line) -> tuple[str, ...]:
    """The normal form of a line's eight fields as text. None and empty text are the same, here as in a CSV."""
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
