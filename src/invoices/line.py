"""One line of an invoice: a validated row."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from invoices import fields


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
