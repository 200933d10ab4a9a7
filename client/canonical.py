"""The one form that equal values are sent in: the API's own, so that a row is the same row however it was written.

It repeats the rules of `invoices.normal_forms` without importing them (the client knows HTTP and nothing else of the
API); a property test holds the two together. A text that no rule knows stays as it is: the API will refuse it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache

_FLOAT_ID = re.compile(r"[0-9]{1,38}\.0")
_QUANTITY = re.compile(r"(-?[0-9]{1,9})(?:\.0{1,6})?")
_PRICE = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,6})?")
_US_DATE = re.compile(r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}(?::\d{2})?", re.ASCII)
_HOUR, _SIXTY = r"(?:[01]\d|2[0-3])", r"[0-5]\d"
_ISO_DATE = re.compile(
    rf"\d{{4}}-\d{{2}}-\d{{2}}[T ]{_HOUR}:{_SIXTY}(:{_SIXTY}(\.\d{{1,6}})?)?(Z|[+-]{_HOUR}:?{_SIXTY})?", re.ASCII
)

_DAYS, _MINUTES = 1024, 1440  # kept: a file's dates share few of them


def canonical_id(text: str) -> str:
    """`17850.0`, which pandas makes of an id beside gaps, is the id `17850`."""
    return text[:-2] if text.endswith(".0") and _FLOAT_ID.fullmatch(text) else text


def canonical_quantity(text: str) -> str:
    return str(int(match[1])) if (match := _QUANTITY.fullmatch(text)) else text


def canonical_price(text: str) -> str:
    """Plain digits without zeros that say nothing: `2.50` is `2.5`, `-0.00` is `0`."""
    if not _PRICE.fullmatch(text):
        return text
    price = Decimal(text).normalize()
    return format(price, "f") if price else "0"


def canonical_date(text: str) -> str:
    """ISO 8601 without an offset as it stands; with one, in UTC with a `Z`."""
    try:
        return _iso(text)
    except (ValueError, OverflowError):
        return text


def _iso(text: str) -> str:
    if _US_DATE.fullmatch(text):
        day, _, clock = text.partition(" ")
        return f"{_us_day(day)}T{_us_clock(clock)}"
    if not _ISO_DATE.fullmatch(text):
        return text
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        return instant.isoformat()
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


@lru_cache(_DAYS)
def _us_day(text: str) -> str:
    month, day, year = map(int, text.split("/"))
    return date(year, month, day).isoformat()


@lru_cache(_MINUTES)
def _us_clock(text: str) -> str:
    hour, minute, second, *_ = map(int, f"{text}:0".split(":"))
    return time(hour, minute, second).isoformat()


def as_it_is(text: str) -> str:
    return text


CANONICAL: Mapping[str, Callable[[str], str]] = {
    "InvoiceNo": canonical_id,
    "StockCode": as_it_is,
    "Description": as_it_is,
    "Quantity": canonical_quantity,
    "InvoiceDate": canonical_date,
    "UnitPrice": canonical_price,
    "CustomerID": canonical_id,
    "Country": as_it_is,
}
