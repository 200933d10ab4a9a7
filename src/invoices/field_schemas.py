"""What the OpenAPI document says of each field: what is taken, as far as a JSON schema can say it."""

from typing import Any, TypeAlias

from invoices.normal_forms import (
    ID_BOUND,
    OCCURRENCE_BOUND,
    PRICE_PATTERN,
    QUANTITY_BOUND,
    QUANTITY_PATTERN,
)

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
