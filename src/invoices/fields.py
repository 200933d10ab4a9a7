"""The types of a line's fields: what is taken, and the type of what is kept."""

from decimal import Decimal
from typing import Annotated, Any, Union

from pydantic import (
    AfterValidator,
    Field,
    GetPydanticSchema,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from invoices import field_schemas
from invoices.money import money_text
from invoices.normal_forms import (
    ID_PATTERN,
    OCCURRENCE_BOUND,
    PRICE_PATTERN,
    QUANTITY_BOUND,
    QUANTITY_PATTERN,
    blank_is_none,
    date_from_text,
    id_from_number,
    occurrence_from_number,
    price_from_number,
    price_from_text,
    quantity_from_number,
    quantity_from_text,
)


def _taken_as(accepted: Any) -> GetPydanticSchema:
    """Read with the schema of `accepted`, whatever the type it stands on: that is what type checkers see."""
    return GetPydanticSchema(lambda _source, handler: handler.generate_schema(accepted))


def _first_of(*accepted: Any) -> Any:
    """Tried from the left. Text comes first: it is what the client sends, and it is checked in compiled code."""
    return Annotated[Union[accepted], Field(union_mode="left_to_right")]  # noqa: UP007 - built at run time


_IdText = Annotated[str, StringConstraints(strict=True, pattern=ID_PATTERN)]
_IdNumber = Annotated[Any, PlainValidator(id_from_number)]
_Id = _first_of(_IdText, _IdNumber)
_Blank = Annotated[str, StringConstraints(strict=True, max_length=0), AfterValidator(blank_is_none)]
_PlainText = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=60, pattern=field_schemas.ONE_LINE_PATTERN)
]
_LongText = Annotated[
    str,
    StringConstraints(strict=True, max_length=500, pattern=field_schemas.TEXT_PATTERN),
    AfterValidator(blank_is_none),
]
_QuantityInt = Annotated[int, Field(strict=True, gt=-QUANTITY_BOUND, lt=QUANTITY_BOUND)]
_QuantityText = Annotated[
    str, StringConstraints(strict=True, pattern=QUANTITY_PATTERN), AfterValidator(quantity_from_text)
]
_QuantityNumber = Annotated[Any, PlainValidator(quantity_from_number)]
_OccurrenceInt = Annotated[int, Field(strict=True, ge=1, lt=OCCURRENCE_BOUND)]
_OccurrenceNumber = Annotated[Any, PlainValidator(occurrence_from_number)]
_PriceText = Annotated[str, StringConstraints(strict=True, pattern=PRICE_PATTERN), AfterValidator(price_from_text)]
_PriceNumber = Annotated[Any, PlainValidator(price_from_number)]

InvoiceId = Annotated[str, _taken_as(_Id), WithJsonSchema(field_schemas.INVOICE_ID)]
"""1 to 40 letters, digits, `_` or `-`: safe in a key, a path and a URL as it is. A whole number becomes its digits."""

CustomerId = Annotated[
    str | None,
    _taken_as(_first_of(_Id, _Blank) | None),
    WithJsonSchema(field_schemas.CUSTOMER_ID),
]
"""As an invoice's number; empty text is no customer."""

StockCode = Annotated[
    str,
    _taken_as(_first_of(_PlainText, _IdNumber)),
    WithJsonSchema(field_schemas.STOCK_CODE),
]
"""1 to 60 characters, kept as they are (`gift_0001_40`, `BANK CHARGES`, `47503J `)."""

Country = _PlainText

Description = Annotated[
    str | None,
    _taken_as(_LongText | None),
    WithJsonSchema(field_schemas.DESCRIPTION),
]
"""Up to 500 characters, spaces around them and line breaks inside them kept; empty text is none."""

Quantity = Annotated[
    int,
    _taken_as(_first_of(_QuantityInt, _QuantityText, _QuantityNumber)),
    WithJsonSchema(field_schemas.QUANTITY),
]
"""A whole number of at most nine digits; negative in returns."""

InvoiceDate = Annotated[
    str,
    StringConstraints(strict=True, max_length=40),
    AfterValidator(date_from_text),
    WithJsonSchema(field_schemas.INVOICE_DATE),
]
"""`12/1/2010 8:26` (month first) or ISO 8601; kept as ISO 8601 text, which sorts as time does within one zone."""

UnitPrice = Annotated[
    Decimal,
    _taken_as(_first_of(_PriceText, _PriceNumber)),
    PlainSerializer(money_text, return_type=str),
    WithJsonSchema(field_schemas.UNIT_PRICE),
]
"""Money: at most nine digits before the point and six behind it, as text or as a JSON number; never a float."""

Occurrence = Annotated[
    int | None,
    _taken_as(_first_of(_OccurrenceInt, _OccurrenceNumber) | None),
    WithJsonSchema(field_schemas.OCCURRENCE),
]
"""The row is the n-th with exactly this content in its source."""
