"""The one form that equal values are kept in, so that they have the same line id.

`2.5` and `2.50` are one price, `12/1/2010 8:26` and `2010-12-01T08:26:00` one time, `17850` and `17850.0` one id.
`client/canonical.py` repeats these rules for whole columns. Each raises ValueError, of which pydantic makes an error.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"
PRICE_PATTERN = r"^-?[0-9]{1,9}(\.[0-9]{1,6})?$"
QUANTITY_PATTERN = r"^-?[0-9]{1,9}(\.0{1,6})?$"
QUANTITY_BOUND = 10**9
OCCURRENCE_BOUND = 10**9
ID_BOUND = 10**38

_HOUR, _SIXTY = r"(?:[01]\d|2[0-3])", r"[0-5]\d"
_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_ISO_DATE = re.compile(
    rf"\d{{4}}-\d{{2}}-\d{{2}}[T ]{_HOUR}:{_SIXTY}(:{_SIXTY}(\.\d{{1,6}})?)?(Z|[+-]{_HOUR}:?{_SIXTY})?", re.ASCII
)
_WHOLE_FLOAT_LIMIT = 2**53  # beyond it a float skips whole numbers
_CACHED_TEXTS = 4096  # an invoice repeats its dates, prices and quantities


def _whole_number(value: object) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _WHOLE_FLOAT_LIMIT:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("not a whole number")


def id_from_number(value: object) -> str:
    """`17850` and the `17850.0` that pandas makes of it, as number or as text, are the id `17850`."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,38}\.0", value, re.ASCII):
        return value[:-2]
    number = _whole_number(value)
    if not 0 <= number < ID_BOUND:
        raise ValueError("not an id")
    return str(number)


def quantity_from_number(value: object) -> int:
    number = _whole_number(value)
    if abs(number) >= QUANTITY_BOUND:
        raise ValueError("more than nine digits")
    return number


def occurrence_from_number(value: object) -> int:
    number = _whole_number(value)
    if not 1 <= number < OCCURRENCE_BOUND:
        raise ValueError("not an ordinal number")
    return number


@lru_cache(_CACHED_TEXTS)
def quantity_from_text(text: str) -> int:
    return int(text.partition(".")[0])


@lru_cache(_CACHED_TEXTS)
def price_from_text(text: str) -> Decimal:
    """Money without trailing zeros, so that equal prices are written alike."""
    price = Decimal(text).normalize()
    return price or Decimal(0)


def price_from_number(value: object) -> Decimal:
    """A JSON number goes through its shortest text, so `2.55` is 2.55 and not 2.54999…"""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a number")  # noqa: TRY004 - see above
    text = format(Decimal(repr(value)), "f")
    if not re.fullmatch(PRICE_PATTERN, text):
        raise ValueError("not finite, or too many digits")
    return price_from_text(text)


@lru_cache(_CACHED_TEXTS)
def date_from_text(text: str) -> str:
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


def blank_is_none(text: str) -> str | None:
    """A CSV cannot tell the two apart."""
    return text or None
