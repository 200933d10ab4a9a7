"""The pydantic type of each field of a line.

A type has three parts: what type checkers see, what pydantic accepts and how it makes the normal form of it, and what
the OpenAPI document says. pydantic tries the alternatives of a field in order. Text comes first, because the client
sends text and compiled code checks it.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, Union

from pydantic import (
    AfterValidator,
    Field,
    GetPydanticSchema,
    PlainSerializer,
    PlainValidator,
    StrictBool,
    StringConstraints,
    ValidationInfo,
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
    instant_from_text,
    occurrence_from_number,
    price_from_number,
    price_from_text,
    quantity_from_number,
    quantity_from_text,
)

RULES: Mapping[str, str] = {
    "InvoiceNo": "must be 1 to 40 letters, digits, '_' or '-'",
    "StockCode": "must be text of 1 to 60 characters without control characters",
    "Description": "must be text of at most 500 characters without control characters, or null",
    "Quantity": "must be a whole number of at most 9 digits",
    "InvoiceDate": "must be a date like 12/1/2010 8:26 (month first) or 2010-12-01T08:26:00; the time may be missing",
    "UnitPrice": "must be a decimal number with at most 9 digits before the point and 6 behind it",
    "CustomerID": "must be 1 to 40 letters, digits, '_' or '-', or null",
    "Country": "must be text of 1 to 60 characters without control characters",
    "Occurrence": "must be a whole number from 1 to 999,999,999, or null",
    "AsOf": "must be an instant with its zone, like 2026-11-26T09:00:00Z, or null; the row needs Occurrence",
    "Withdrawn": "must be true, false or null; the row needs Occurrence",
}
"""The error message of each field: the whole rule, and nothing of the rejected value."""


class SeenFloats:
    """The context of a validation: whether it read a JSON number as a binary float.

    A float keeps some 15 digits of a number's text, so whoever validates JSON must compare the two.
    """

    is_any = False


Schema: TypeAlias = dict[str, Any]


def _accepts(accepted: Any) -> GetPydanticSchema:
    """Validate as the type `accepted`, whatever type stands beside it for type checkers."""
    return GetPydanticSchema(lambda _source, handler: handler.generate_schema(accepted))


def _first_of(*alternatives: Any) -> Any:
    return Annotated[Union[alternatives], Field(union_mode="left_to_right")]  # noqa: UP007 - built at run time


def _from_number(normal_form: Callable[[object], Any]) -> Any:
    def validate(value: object, info: ValidationInfo) -> Any:
        if isinstance(value, float) and info.context:
            info.context.is_any = True
        return normal_form(value)

    return Annotated[Any, PlainValidator(validate)]


def _any_of(*schemas: Schema) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [*schemas]})


def _text(**constraints: object) -> Schema:
    return {"type": "string", **constraints}


_NULL: Schema = {"type": "null"}
_Blank = Annotated[str, StringConstraints(strict=True, max_length=0), AfterValidator(blank_is_none)]

_IdText = Annotated[str, StringConstraints(strict=True, pattern=ID_PATTERN)]
_IdNumber = _from_number(id_from_number)
_Id = _first_of(_IdText, _IdNumber)
_ID_TEXT = _text(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,39}|[0-9]{1,38}\.0)$")
_ID_NUMBER: Schema = {"type": "integer", "minimum": 0, "exclusiveMaximum": ID_BOUND}

InvoiceId = Annotated[str, _accepts(_Id), _any_of(_ID_TEXT, _ID_NUMBER)]
"""1 to 40 letters, digits, `_` or `-`: safe in a key, a path and a URL. A whole number becomes its digits."""

CustomerId = Annotated[
    str | None,
    _accepts(_first_of(_Id, _Blank) | None),
    _any_of(_ID_TEXT, _text(maxLength=0), _ID_NUMBER, _NULL),
]
"""The same as for an invoice, or no customer: null or empty text."""

_NOT_TEXT = r"\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # DEL, C1, marks of the text's direction
_ONE_LINE_PATTERN = rf"^[^\x00-\x1f{_NOT_TEXT}]*$"
_PlainText = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=60, pattern=_ONE_LINE_PATTERN)]

StockCode = Annotated[
    str,
    _accepts(_first_of(_PlainText, _IdNumber)),
    _any_of(_text(minLength=1, maxLength=60, pattern=_ONE_LINE_PATTERN), _ID_NUMBER),
]
"""1 to 60 characters, kept unchanged (`gift_0001_40`, `BANK CHARGES`, `47503J `)."""

Country = _PlainText

_TEXT_PATTERN = rf"^[^\x00-\x08\x0b\x0c\x0e-\x1f{_NOT_TEXT}]*$"
_LongText = Annotated[
    str,
    StringConstraints(strict=True, max_length=500, pattern=_TEXT_PATTERN),
    AfterValidator(blank_is_none),
]

Description = Annotated[
    str | None, _accepts(_LongText | None), _any_of(_text(maxLength=500, pattern=_TEXT_PATTERN), _NULL)
]
"""Up to 500 characters. Spaces around them and line breaks inside them are kept; empty text becomes None."""

_QuantityInt = Annotated[int, Field(strict=True, gt=-QUANTITY_BOUND, lt=QUANTITY_BOUND)]
_QuantityText = Annotated[
    str, StringConstraints(strict=True, pattern=QUANTITY_PATTERN), AfterValidator(quantity_from_text)
]
_QuantityNumber = _from_number(quantity_from_number)
_QUANTITY_NUMBER: Schema = {
    "type": "integer",
    "exclusiveMinimum": -QUANTITY_BOUND,
    "exclusiveMaximum": QUANTITY_BOUND,
}

Quantity = Annotated[
    int,
    _accepts(_first_of(_QuantityInt, _QuantityText, _QuantityNumber)),
    _any_of(_QUANTITY_NUMBER, _text(pattern=QUANTITY_PATTERN)),
]
"""A whole number of at most nine digits; negative in returns."""

_YEAR = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_DAY, _TIME = "(0?[1-9]|[12][0-9]|3[01])", "([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_ISO_DAY, _ISO_TIME = "(0[1-9]|[12][0-9]|3[01])", r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_NAMED_ZONE = "(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])"
_ZONE = f"{_NAMED_ZONE}?"
_HALF_TIME = "(0?[1-9]|1[0-2]):[0-5][0-9](:[0-5][0-9])? ?[AaPp][Mm]"
_US_DATE = f"(0?[1-9]|1[0-2])/{_DAY}/{_YEAR}( ({_TIME}|{_HALF_TIME}))?"
_ISO_DATE = f"{_YEAR}-(0[1-9]|1[0-2])-{_ISO_DAY}([T ]{_ISO_TIME}{_ZONE})?"

InvoiceDate = Annotated[
    str,
    StringConstraints(strict=True, max_length=40),
    AfterValidator(date_from_text),
    WithJsonSchema(_text(pattern=f"^({_US_DATE}|{_ISO_DATE})$", examples=["2010-12-01T08:26:00", "12/1/2010 8:26"])),
]
"""`12/1/2010 8:26` (month first), `12/1/2010 8:26 AM`, `12/1/2010`, or ISO 8601.

Kept as ISO 8601 text, which sorts by time within one zone."""

_PriceText = Annotated[str, StringConstraints(strict=True, pattern=PRICE_PATTERN), AfterValidator(price_from_text)]
_PriceNumber = _from_number(price_from_number)
_LARGEST_PRICE = 999_999_999.999999
_PRICE_NUMBER: Schema = {"type": "number", "minimum": -_LARGEST_PRICE, "maximum": _LARGEST_PRICE}

UnitPrice = Annotated[
    Decimal,
    _accepts(_first_of(_PriceText, _PriceNumber)),
    PlainSerializer(money_text, return_type=str),
    _any_of(_text(pattern=PRICE_PATTERN), _PRICE_NUMBER),
]
"""Money: text or a JSON number with at most nine digits before the point and six behind it. It is never a float."""

_OccurrenceInt = Annotated[int, Field(strict=True, ge=1, lt=OCCURRENCE_BOUND)]
_OccurrenceNumber = _from_number(occurrence_from_number)
_OCCURRENCE_NUMBER: Schema = {"type": "integer", "minimum": 1, "exclusiveMaximum": OCCURRENCE_BOUND}

Occurrence = Annotated[
    int | None, _accepts(_first_of(_OccurrenceInt, _OccurrenceNumber) | None), _any_of(_OCCURRENCE_NUMBER, _NULL)
]
"""The row is the n-th with exactly this content in its source. It counts from 1."""


_Instant = Annotated[str, StringConstraints(strict=True, max_length=40), AfterValidator(instant_from_text)]
_INSTANT_TEXT = _text(pattern=f"^{_YEAR}-(0[1-9]|1[0-2])-{_ISO_DAY}[T ]{_ISO_TIME}{_NAMED_ZONE}$")

AsOf = Annotated[str | None, _accepts(_Instant | None), _any_of(_INSTANT_TEXT, _NULL)]
"""When this was stated about the line. The statement with the latest AsOf holds; one without AsOf is the weakest.

That a sender's row needs Occurrence is checked by `reject_unnamed_statements`, because a type sees one field."""

Withdrawn = Annotated[
    bool,
    _accepts(Annotated[StrictBool | None, AfterValidator(bool)]),
    _any_of({"type": "boolean"}, _NULL),
]
"""The line is taken back. Of two statements as of the same instant, this one holds."""
