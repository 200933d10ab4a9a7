"""The types of a line's fields: what is taken, and the one form it is kept in.

Two texts that mean the same (`2.5` and `2.50`, `12/1/2010 8:26` and `2010-12-01T08:26:00`) become the same value
here, so that they have the same line id. `client/canonical.py` repeats these rules for whole columns.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
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

_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)
_WHOLE_FLOAT_LIMIT = 2**53  # beyond it a float skips whole numbers
_CENTS = -2
_CACHED_TEXTS = 4096
_OCCURRENCE_BOUND = 10**9


def _whole_number(value: object) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _WHOLE_FLOAT_LIMIT:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("not a whole number")


def _id_from_number(value: object) -> str:
    """`17850` and the `17850.0` that pandas makes of it, as number or as text, are the id `17850`."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,38}\.0", value, re.ASCII):
        return value[:-2]
    number = _whole_number(value)
    if not 0 <= number < 10**38:
        raise ValueError("not an id")
    return str(number)


def _quantity_from_number(value: object) -> int:
    number = _whole_number(value)
    if abs(number) >= QUANTITY_BOUND:
        raise ValueError("more than nine digits")
    return number


def _occurrence_from_number(value: object) -> int:
    number = _whole_number(value)
    if not 1 <= number < _OCCURRENCE_BOUND:
        raise ValueError("not an ordinal number")
    return number


@lru_cache(_CACHED_TEXTS)
def _quantity_from_text(text: str) -> int:
    return int(text.partition(".")[0])


@lru_cache(_CACHED_TEXTS)
def price_from_text(text: str) -> Decimal:
    """Money without trailing zeros, so that equal prices are written alike."""
    price = Decimal(text).normalize()
    return price or Decimal(0)


def _price_from_number(value: object) -> Decimal:
    """A JSON number goes through its shortest text, so `2.55` is 2.55 and not 2.54999…"""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a number")  # noqa: TRY004 - pydantic makes an error of ValueError only
    text = format(Decimal(repr(value)), "f")
    if not re.fullmatch(PRICE_PATTERN, text):
        raise ValueError("not finite, or too many digits")
    return price_from_text(text)


@lru_cache(_CACHED_TEXTS)
def _date_from_text(text: str) -> str:
    """The date as ISO 8601 to the second (or finer, if it was); with an offset it becomes UTC and ends in `Z`."""
    if us := _US_DATE.fullmatch(text):
        month, day, year, hour, minute, second = (int(part or 0) for part in us.groups())
        return datetime(year, month, day, hour, minute, second).isoformat()  # noqa: DTZ001 - the data has no zone
    if not _ISO_DATE.fullmatch(text):
        raise ValueError("not a date")
    date = datetime.fromisoformat(text)
    if date.tzinfo is None:
        return date.isoformat()
    try:
        return date.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError as error:
        raise ValueError("beyond the calendar once it is UTC") from error


def price_text(price: Decimal) -> str:
    """Money as plain digits with at least two decimals: `2.50`, `0.001`, `-11062.06`."""
    exponent = price.as_tuple().exponent
    at_least_cents = isinstance(exponent, int) and exponent <= _CENTS
    return format(price if at_least_cents else price.quantize(Decimal("0.01")), "f")


def _blank_is_none(text: str) -> str | None:
    return text or None


ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"
PRICE_PATTERN = r"^-?[0-9]{1,9}(\.[0-9]{1,6})?$"
QUANTITY_BOUND = 10**9
QUANTITY_PATTERN = r"^-?[0-9]{1,9}(\.0{1,6})?$"
_ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"


def _taken_as(accepted: Any) -> GetPydanticSchema:
    """Read with the schema of `accepted`, whatever the type it stands on: that is what type checkers see."""
    return GetPydanticSchema(lambda _source, handler: handler.generate_schema(accepted))


def _first_of(*accepted: Any) -> Any:
    """Tried from the left. Text comes first: it is what the client sends, and it is checked in compiled code."""
    return Annotated[Union[accepted], Field(union_mode="left_to_right")]  # noqa: UP007 - built at run time


_IdText = Annotated[str, StringConstraints(strict=True, pattern=ID_PATTERN)]
_IdNumber = Annotated[Any, PlainValidator(_id_from_number)]
_Id = _first_of(_IdText, _IdNumber)
_Blank = Annotated[str, StringConstraints(strict=True, max_length=0), AfterValidator(_blank_is_none)]
_PlainText = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=60, pattern=_ONE_LINE)]
_LongText = Annotated[
    str, StringConstraints(strict=True, max_length=500, pattern=_TEXT), AfterValidator(_blank_is_none)
]
_QuantityInt = Annotated[int, Field(strict=True, gt=-QUANTITY_BOUND, lt=QUANTITY_BOUND)]
_QuantityText = Annotated[
    str, StringConstraints(strict=True, pattern=QUANTITY_PATTERN), AfterValidator(_quantity_from_text)
]
_QuantityNumber = Annotated[Any, PlainValidator(_quantity_from_number)]
_OccurrenceInt = Annotated[int, Field(strict=True, ge=1, lt=_OCCURRENCE_BOUND)]
_OccurrenceNumber = Annotated[Any, PlainValidator(_occurrence_from_number)]
_PriceText = Annotated[str, StringConstraints(strict=True, pattern=PRICE_PATTERN), AfterValidator(price_from_text)]
_PriceNumber = Annotated[Any, PlainValidator(_price_from_number)]

# What the OpenAPI document says is taken: the same as above, as far as a JSON schema can say it.
_ID_TEXT_JSON = {"type": "string", "pattern": r"^([A-Za-z0-9][A-Za-z0-9_-]{0,39}|[0-9]{1,38}\.0)$"}
_ID_NUMBER_JSON = {"type": "integer", "minimum": 0, "exclusiveMaximum": 10**38}
_NULL_JSON = {"type": "null"}
_STOCK_CODE_JSON = {"type": "string", "minLength": 1, "maxLength": 60, "pattern": _ONE_LINE}
_QUANTITY_JSON = {"type": "integer", "exclusiveMinimum": -QUANTITY_BOUND, "exclusiveMaximum": QUANTITY_BOUND}
_PRICE_NUMBER_JSON = {"type": "number", "minimum": -999_999_999.999999, "maximum": 999_999_999.999999}
_YEAR = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_DAY, _TIME = "(0?[1-9]|[12][0-9]|3[01])", "([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_ISO_DAY, _ISO_TIME = "(0[1-9]|[12][0-9]|3[01])", r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_ZONE = "(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?"
_US_JSON, _ISO_JSON = (
    f"(0?[1-9]|1[0-2])/{_DAY}/{_YEAR} {_TIME}",
    f"{_YEAR}-(0[1-9]|1[0-2])-{_ISO_DAY}[T ]{_ISO_TIME}{_ZONE}",
)
_DATE_JSON_PATTERN = f"^({_US_JSON}|{_ISO_JSON})$"

InvoiceId = Annotated[str, _taken_as(_Id), WithJsonSchema({"anyOf": [_ID_TEXT_JSON, _ID_NUMBER_JSON]})]
"""1 to 40 letters, digits, `_` or `-`: safe in a key, a path and a URL as it is. A whole number becomes its digits."""

CustomerId = Annotated[
    str | None,
    _taken_as(_first_of(_Id, _Blank) | None),
    WithJsonSchema({"anyOf": [_ID_TEXT_JSON, {"type": "string", "maxLength": 0}, _ID_NUMBER_JSON, _NULL_JSON]}),
]
"""As an invoice's number; empty text is no customer."""

StockCode = Annotated[
    str,
    _taken_as(_first_of(_PlainText, _IdNumber)),
    WithJsonSchema({"anyOf": [_STOCK_CODE_JSON, _ID_NUMBER_JSON]}),
]
"""1 to 60 characters, kept as they are (`gift_0001_40`, `BANK CHARGES`, `47503J `)."""

Country = _PlainText

Description = Annotated[
    str | None,
    _taken_as(_LongText | None),
    WithJsonSchema({"anyOf": [{"type": "string", "maxLength": 500, "pattern": _TEXT}, _NULL_JSON]}),
]
"""Up to 500 characters, spaces around them and line breaks inside them kept; empty text is none."""

Quantity = Annotated[
    int,
    _taken_as(_first_of(_QuantityInt, _QuantityText, _QuantityNumber)),
    WithJsonSchema({"anyOf": [_QUANTITY_JSON, {"type": "string", "pattern": QUANTITY_PATTERN}]}),
]
"""A whole number of at most nine digits; negative in returns."""

InvoiceDate = Annotated[
    str,
    StringConstraints(strict=True, max_length=40),
    AfterValidator(_date_from_text),
    WithJsonSchema(
        {"type": "string", "pattern": _DATE_JSON_PATTERN, "examples": ["2010-12-01T08:26:00", "12/1/2010 8:26"]}
    ),
]
"""`12/1/2010 8:26` (month first) or ISO 8601; kept as ISO 8601 text, which sorts as time does within one zone."""

UnitPrice = Annotated[
    Decimal,
    _taken_as(_first_of(_PriceText, _PriceNumber)),
    PlainSerializer(price_text, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": PRICE_PATTERN}, _PRICE_NUMBER_JSON]}),
]
"""Money: at most nine digits before the point and six behind it, as text or as a JSON number; never a float."""

Occurrence = Annotated[
    int | None,
    _taken_as(_first_of(_OccurrenceInt, _OccurrenceNumber) | None),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "exclusiveMaximum": _OCCURRENCE_BOUND}, _NULL_JSON]}),
]
"""The row is the n-th with exactly this content in its source."""

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
"""What a caller is told when a field is refused: the whole rule, and nothing of the value."""
