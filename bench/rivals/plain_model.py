"""The ceiling's row as a pydantic model: types and no rule."""

from pydantic import BaseModel, TypeAdapter


class Row(BaseModel):
    InvoiceNo: str
    StockCode: str
    Quantity: int
    InvoiceDate: str
    UnitPrice: str
    Country: str
    Description: str | None = None
    CustomerID: str | None = None
    Occurrence: int | None = None


_ROWS = TypeAdapter(list[Row])


def count(ndjson: bytes) -> int:
    return len(_ROWS.validate_json(b"[%b]" % ndjson.replace(b"\n", b",")))
