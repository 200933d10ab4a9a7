"""The types of a line's fields: what is taken, and the type of what is kept."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, Union

from pydantic import (
    AfterValidator,
    Field,
    GetPydanticSchema,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from invoices.money import money_text
from invoices.normal_forms import (
    ID_BOUND,
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

# What a caller is told when a field is refused: the whole rule, and nothing of the value.

RULES: Mapping[str, str] = {
    "InvoiceNo": "must be 1 to 40 letters, digits, '_' or '-'",
    "StockCode": "must be text of 1 to 60 characters without control characters",
    "Description": "must be text of at most 500 characters without control characters, or null",
    "Quantity": "must be a whole number of at most 9 digits",
    "InvoiceDate": "must be a date and time like 12/1/2010 8:26 (month first) or 2010-12-01T08:26:00",
    "UnitPrice": "must be a decimal number with at most 9 digits before the point and 6 behind it",
    "CustomerID": "must be 1 to 40 letters, digits, '_' or '-', or null",
    "Country": "must be text of 1 to 60 characters without control characters",
    "Occurrence": "must be a whole number from 1 to 999,999,999, or null",
}


# What the OpenAPI document says of each field: what is taken, as far as a JSON schema can say it.

Schema: TypeAlias = dict[str, Any]

ONE_LINE_PATTERN = r"^[^\x00-\x1f\x7f]*$"
TEXT_PATTERN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

_YEAR = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_DAY, _TIME = "(0?[1-9]|[12][0-9]|3[01])", "([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_ISO_DAY, _ISO_TIME = "(0[1-9]|[12][0-9]|3[01])", r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_ZONE = "(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?"
_US_DATE = f"(0?[1-9]|1[0-2])/{_DAY}/{_YEAR} {_TIME}"
_ISO_DATE = f"{_YEAR}-(0[1-9]|1[0-2])-{_ISO_DAY}[T ]{_ISO_TIME}{_ZONE}"
_LARGEST_PRICE = 999_999_999.999999


def _text(**constraints: object) -> Schema:
    return {"type": "string", **constraints}


def _any_of(*schemas: Schema) -> Schema:
    return {"anyOf": [*schemas]}


_NULL: Schema = {"type": "null"}
_ID_TEXT = _text(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,39}|[0-9]{1,38}\.0)$")
_ID_NUMBER: Schema = {"type": "integer", "minimum": 0, "exclusiveMaximum": ID_BOUND}
_QUANTITY_NUMBER: Schema = {
    "type": "integer",
    "exclusiveMinimum": -QUANTITY_BOUND,
    "exclusiveMaximum": QUANTITY_BOUND,
}
_PRICE_NUMBER: Schema = {"type": "number", "minimum": -_LARGEST_PRICE, "maximum": _LARGEST_PRICE}
_OCCURRENCE_NUMBER: Schema = {"type": "integer", "minimum": 1, "exclusiveMaximum": OCCURRENCE_BOUND}

INVOICE_ID = _any_of(_ID_TEXT, _ID_NUMBER)
CUSTOMER_ID = _any_of(_ID_TEXT, _text(maxLength=0), _ID_NUMBER, _NULL)
STOCK_CODE = _any_of(_text(minLength=1, maxLength=60, pattern=ONE_LINE_PATTERN), _ID_NUMBER)
DESCRIPTION = _any_of(_text(maxLength=500, pattern=TEXT_PATTERN), _NULL)
QUANTITY = _any_of(_QUANTITY_NUMBER, _text(pattern=QUANTITY_PATTERN))
INVOICE_DATE = _text(pattern=f"^({_US_DATE}|{_ISO_DATE})$", examples=["2010-12-01T08:26:00", "12/1/2010 8:26"])
UNIT_PRICE = _any_of(_text(pattern=PRICE_PATTERN), _PRICE_NUMBER)
OCCURRENCE = _any_of(_OCCURRENCE_NUMBER, _NULL)


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
_PlainText = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=60, pattern=ONE_LINE_PATTERN)]
_LongText = Annotated[
    str,
    StringConstraints(strict=True, max_length=500, pattern=TEXT_PATTERN),
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

InvoiceId = Annotated[str, _taken_as(_Id), WithJsonSchema(INVOICE_ID)]
"""1 to 40 letters, digits, `_` or `-`: safe in a key, a path and a URL as it is. A whole number becomes its digits."""

CustomerId = Annotated[
    str | None,
    _taken_as(_first_of(_Id, _Blank) | None),
    WithJsonSchema(CUSTOMER_ID),
]
"""As an invoice's number; empty text is no customer."""

StockCode = Annotated[
    str,
    _taken_as(_first_of(_PlainText, _IdNumber)),
    WithJsonSchema(STOCK_CODE),
]
"""1 to 60 characters, kept as they are (`gift_0001_40`, `BANK CHARGES`, `47503J `)."""

Country = _PlainText

Description = Annotated[
    str | None,
    _taken_as(_LongText | None),
    WithJsonSchema(DESCRIPTION),
]
"""Up to 500 characters, spaces around them and line breaks inside them kept; empty text is none."""

Quantity = Annotated[
    int,
    _taken_as(_first_of(_QuantityInt, _QuantityText, _QuantityNumber)),
    WithJsonSchema(QUANTITY),
]
"""A whole number of at most nine digits; negative in returns."""

InvoiceDate = Annotated[
    str,
    StringConstraints(strict=True, max_length=40),
    AfterValidator(date_from_text),
    WithJsonSchema(INVOICE_DATE),
]
"""`12/1/2010 8:26` (month first) or ISO 8601; kept as ISO 8601 text, which sorts as time does within one zone."""

UnitPrice = Annotated[
    Decimal,
    _taken_as(_first_of(_PriceText, _PriceNumber)),
    PlainSerializer(money_text, return_type=str),
    WithJsonSchema(UNIT_PRICE),
]
"""Money: at most nine digits before the point and six behind it, as text or as a JSON number; never a float."""

Occurrence = Annotated[
    int | None,
    _taken_as(_first_of(_OccurrenceInt, _OccurrenceNumber) | None),
    WithJsonSchema(OCCURRENCE),
]
"""The row is the n-th with exactly this content in its source."""
