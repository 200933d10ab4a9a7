"""The normal form of each field's values: equal values become the same, so that equal lines have the same line id.

`2.5` and `2.50` are one price, `12/1/2010 8:26` and `2010-12-01T08:26:00` one time, `17850` and `17850.0` one id.
`client/columns.py` has the same rules for whole columns. Every function here raises ValueError for a value that its
field does not allow; pydantic turns that into a validation error.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"
ID_BOUND = 10**38
QUANTITY_PATTERN = r"^-?[0-9]{1,9}(\.0{1,6})?$"
QUANTITY_BOUND = 10**9
PRICE_PATTERN = r"^-?[0-9]{1,9}(\.[0-9]{1,6})?$"
OCCURRENCE_BOUND = 10**9

_CACHED_TEXTS = 4096  # an invoice repeats its dates, prices and quantities


def blank_is_none(text: str) -> str | None:
    """A CSV cannot tell empty text from no text."""
    return text or None


def id_from_number(value: object) -> str:
    """Make `17850` of 17850 and of `17850.0`, a number or text: pandas writes an id like this."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,38}\.0", value, re.ASCII):
        return value.removesuffix(".0")
    number = _whole_number(value)
    if not 0 <= number < ID_BOUND:
        raise ValueError("not an id")
    return str(number)


def quantity_from_number(value: object) -> int:
    number = _whole_number(value)
    if abs(number) >= QUANTITY_BOUND:
        raise ValueError("more than nine digits")
    return number


@lru_cache(_CACHED_TEXTS)
def quantity_from_text(text: str) -> int:
    """`text` matches QUANTITY_PATTERN."""
    return int(text.partition(".")[0])


def occurrence_from_number(value: object) -> int:
    number = _whole_number(value)
    if not 1 <= number < OCCURRENCE_BOUND:
        raise ValueError("not an ordinal number")
    return number


def price_from_number(value: object) -> Decimal:
    """Read a JSON number through its shortest text, so that 2.55 is 2.55 and not 2.54999…"""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a number")  # noqa: TRY004 - pydantic would not catch a TypeError
    text = format(Decimal(repr(value)), "f")
    if not re.fullmatch(PRICE_PATTERN, text):
        raise ValueError("not finite, or too many digits")
    return price_from_text(text)


@lru_cache(_CACHED_TEXTS)
def price_from_text(text: str) -> Decimal:
    """A price without zeros at its end, and never -0. `text` matches PRICE_PATTERN."""
    price = Decimal(text).normalize()
    return price or Decimal(0)


_NOON = 12
_HOUR, _SIXTY = r"(?:[01]\d|2[0-3])", r"[0-5]\d"
_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2})(?::(\d{2}))?(?: ?([AaPp])[Mm])?)?", re.ASCII)
_ISO_DATE = re.compile(
    rf"\d{{4}}-\d{{2}}-\d{{2}}([T ]{_HOUR}:{_SIXTY}(:{_SIXTY}(\.\d{{1,6}})?)?(Z|[+-]{_HOUR}:?{_SIXTY})?)?", re.ASCII
)


@lru_cache(_CACHED_TEXTS)
def date_from_text(text: str) -> str:
    """ISO 8601, to the second or to the microsecond; midnight without a time. With an offset, UTC that ends in `Z`."""
    if us := _US_DATE.fullmatch(text):
        month, day, year, hour, minute, second = (int(part or 0) for part in us.groups()[:6])
        hour = _hour(hour, us[7])
        return datetime(year, month, day, hour, minute, second).isoformat()  # noqa: DTZ001 - the data has no zone
    if not _ISO_DATE.fullmatch(text):
        raise ValueError("not a date")
    date = datetime.fromisoformat(text)
    if date.tzinfo is None:
        return date.isoformat()
    try:
        return date.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError as error:
        raise ValueError("outside the calendar after conversion to UTC") from error


def instant_from_text(text: str) -> str:
    """ISO 8601 in UTC, always to the microsecond, so that the texts sort by time. The text must name its zone."""
    date = date_from_text(text)
    if not date.endswith("Z"):
        raise ValueError("not an instant")
    return datetime.fromisoformat(date).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _hour(hour: int, half: str | None) -> int:
    """`half` is `a` or `p` of a clock with twelve hours."""
    if half is None:
        return hour
    if not 1 <= hour <= _NOON:
        raise ValueError("not an hour of a clock with twelve hours")
    return hour % _NOON + (_NOON if half in "pP" else 0)


_LAST_EXACT_FLOAT = 2**53  # above it, floats skip whole numbers


def _whole_number(value: object) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LAST_EXACT_FLOAT:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("not a whole number")
