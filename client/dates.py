"""Dates with slashes: whether the month or the day comes first, and the normal form of a date.

`3/4/2010` can be read both ways, `13/4/2010` only with the day first. So the order is a property of the whole file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

DateOrder: TypeAlias = Literal["mdy", "dmy", "iso"]
"""Month first, day first, or no dates with slashes at all."""

_SLASH_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}:\d{2}(?::\d{2})?)(?: ?([AaPp])[Mm])?)?", re.ASCII)
_HOUR, _SIXTY = r"(?:[01]\d|2[0-3])", r"[0-5]\d"
_ISO_DATE = re.compile(
    rf"\d{{4}}-\d{{2}}-\d{{2}}([T ]{_HOUR}:{_SIXTY}(:{_SIXTY}(\.\d{{1,6}})?)?(Z|[+-]{_HOUR}:?{_SIXTY})?)?", re.ASCII
)
_DAYS, _MINUTES = 1024, 1440  # the caches save 5 % of the client's time: a file has many dates but few days and times
_NOON, _MONTHS, _NINE = 12, 12, 9
_Bytes: TypeAlias = NDArray[np.uint8]

_BEFORE, _BEHIND = b"  ", b"    "  # so that every place that is looked at exists
_TAIL_BYTES = 16  # a date is shorter, so none is cut by the end of a block


def normal_date(text: str, order: DateOrder = "mdy") -> str:
    """Like parse_date, but a text that is not a date of this order stays as it is."""
    return parse_date(text, order) or text


def parse_date(text: str, order: DateOrder = "mdy") -> str | None:
    """ISO 8601; an instant with an offset is in UTC and ends with `Z`; without a time it is midnight.

    None for a text that is not a date of this order.
    """
    try:
        if match := _SLASH_DATE.fullmatch(text):
            first, second, year, clock, half = match.groups()
            month, day = (first, second) if order == "mdy" else (second, first)
            return None if order == "iso" else f"{_day(year, month, day)}T{_clock(clock or '0:00', half)}"
        return _iso_date(text) if _ISO_DATE.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


def _iso_date(text: str) -> str:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        return instant.isoformat()
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


@lru_cache(_DAYS)
def _day(year: str, month: str, day: str) -> str:
    return date(int(year), int(month), int(day)).isoformat()


@lru_cache(_MINUTES)
def _clock(text: str, half: str | None) -> str:
    """`half` is `a` or `p` of a clock with twelve hours."""
    hour, minute, second, *_ = map(int, f"{text}:0".split(":"))
    if half:
        if not 1 <= hour <= _NOON:
            raise ValueError("not an hour of a clock with twelve hours")
        hour = hour % _NOON + (_NOON if half in "pP" else 0)
    return time(hour, minute, second).isoformat()


def possible_orders(text: str) -> frozenset[DateOrder]:
    """The orders in which a text with slashes is a date; none for any other text."""
    orders: tuple[DateOrder, ...] = ("mdy", "dmy")
    if not _SLASH_DATE.fullmatch(text):
        return frozenset()
    return frozenset(order for order in orders if parse_date(text, order))


@dataclass(slots=True)
class SlashScan:
    """What the bytes of a file tell about its dates, quickly: a text that looks like a date may be of any column.

    `found`: there are dates with slashes. `has_high_first`, `has_high_second`: some of them have a number above 12 in
    the first or the second place.
    """

    found: bool = False
    has_high_first: bool = False
    has_high_second: bool = False
    _tail: bytes = b""

    def feed(self, block: bytes) -> None:
        data = b"".join((_BEFORE, self._tail, block, _BEHIND))
        self._tail = data[-_TAIL_BYTES - len(_BEHIND) : -len(_BEHIND)]
        for firsts, seconds in _number_pairs(np.frombuffer(data, np.uint8)):
            self.found = self.found or bool(len(firsts))
            self.has_high_first = self.has_high_first or bool((firsts > _MONTHS).any())
            self.has_high_second = self.has_high_second or bool((seconds > _MONTHS).any())


def _number_pairs(data: _Bytes) -> Iterator[tuple[_Bytes, _Bytes]]:
    """The first and the second number of each text like `d/d/dddd`, for second numbers of one digit and of two."""
    digits = data - ord("0")  # a byte before "0" becomes a large number
    slashes = np.flatnonzero(data == ord("/"))
    left, right = slashes[:-1], slashes[1:]
    for width in (1, 2):
        chosen = right - left == width + 1
        one, two = left[chosen], right[chosen]
        fits = (digits[one - 1] <= _NINE) & (digits[two - 1] <= _NINE) & (digits[one + 1] <= _NINE)
        for place in range(1, 5):
            fits &= digits[two + place] <= _NINE
        yield _number_before(digits, one[fits]), _number_before(digits, two[fits])


def _number_before(digits: _Bytes, ends: NDArray[np.int64]) -> _Bytes:
    tens, ones = digits[ends - 2], digits[ends - 1]
    return np.where(tens <= _NINE, tens, 0).astype(np.uint8) * 10 + ones
