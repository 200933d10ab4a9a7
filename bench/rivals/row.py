"""The row as a natural pydantic model would have it."""

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel


class Row(BaseModel):
    InvoiceNo: str
    StockCode: str
    Description: str | None = None
    Quantity: int
    InvoiceDate: datetime
    UnitPrice: Decimal
    CustomerID: str | None = None
    Country: str
    Occurrence: int | None = None
