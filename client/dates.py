"""Dates with slashes: whether the month or the day comes first, and the normal form of a date.

`3/4/2010` can be read both ways, `13/4/2010` only with the day first. So the order is a property of the whole file.
"""

import re
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
_PART_BYTES = (
    96 * 1024
)  # its arrays stay in the processor's caches and below malloc's limit for new pages: a third of the time
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
        for start in range(0, len(block), _PART_BYTES):
            self._feed_part(block[start : start + _PART_BYTES])

    def _feed_part(self, block: bytes) -> None:
        data = b"".join((_BEFORE, self._tail, block, _BEHIND))
        self._tail = data[-_TAIL_BYTES - len(_BEHIND) : -len(_BEHIND)]
        pairs = _SlashPairs(np.frombuffer(data, np.uint8))
        self.found = self.found or pairs.have_date()
        self.has_high_first = self.has_high_first or pairs.have_date(high=0)
        self.has_high_second = self.has_high_second or pairs.have_date(high=1)


class _SlashPairs:
    """Slashes with one or two bytes between them, as a date has. All are looked at; few need a second look."""

    def __init__(self, data: _Bytes) -> None:
        slashes = np.flatnonzero(data == ord("/"))
        gaps = np.diff(slashes)
        lefts = np.flatnonzero((gaps == len("/d")) | (gaps == len("/dd")))
        self._data = data
        self._slashes = (slashes[lefts], slashes[lefts + 1])

    def have_date(self, high: int | None = None) -> bool:
        """Whether there is a text like `d/d/dddd`, with a number above 12 before its slash `high` if that is given."""
        left, right = self._slashes
        if high is not None:
            chosen = self._numbers_before(self._slashes[high]) > _MONTHS
            left, right = left[chosen], right[chosen]
        if not len(left):
            return False
        places = (left - 1, right - 1, left + 1, *(right + place for place in range(1, 5)))
        return bool(np.logical_and.reduce([self._digits(each) <= _NINE for each in places]).any())

    def _numbers_before(self, slashes: NDArray[np.int64]) -> _Bytes:
        tens, ones = self._digits(slashes - 2), self._digits(slashes - 1)
        return np.where(tens <= _NINE, tens, 0).astype(np.uint8) * 10 + ones

    def _digits(self, places: NDArray[np.int64]) -> _Bytes:
        """A byte before "0" becomes a large number."""
        digits: _Bytes = self._data[places] - ord("0")
        return digits
