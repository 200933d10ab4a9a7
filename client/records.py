"""Finds where each row of the file begins and ends, and on which line.

pandas cannot do that safely. It pads a row with too few fields and cuts the first row of a chunk that has too many,
both without an error. It stops at any other row with too many. It splits a row at a carriage return that stands alone.
And a quote that is never closed takes in all rows up to the next quote. So rows are found here, and pandas gets whole
rows only.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, TextIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from client.errors import BadInput

MAX_LINE_BYTES = 8 * 1024 * 1024
"""A longer line is not a row of a CSV; reading stops."""

MAX_QUOTED_BYTES = 1024 * 1024
"""How far to look for the end of a quoted value that spans lines; beyond it, the quote counts as never closed."""

_Positions: TypeAlias = NDArray[np.int64]

_LF, _CR, _QUOTE, _NUL = b'\n\r"\0'

_BAD_QUOTES = "the row's quotes do not pair up"
_NUL_BYTE = "the row holds a NUL byte"
_LONE_RETURN = "the row holds a carriage return outside quotes"


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that cannot be divided into its fields; `line` counts the file's lines from 1."""

    line: int
    reason: str
    text: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Rows of the right shape: where each begins and ends in `data`, and its line in the file. Then the broken ones.

    A row's bytes are not copied, because few rows are ever looked at again.
    """

    data: bytes
    starts: _Positions
    ends: _Positions
    lines: _Positions
    broken: Sequence[BrokenRow] = ()

    def __len__(self) -> int:
        return len(self.starts)

    def text(self, index: int) -> bytes:
        """A row without its line end."""
        return self.data[int(self.starts[index]) : int(self.ends[index])]

    def pieces(self) -> list[memoryview]:
        """All rows with their line ends; a piece ends only before a blank line or a broken row."""
        stops = self.ends + 1 + (np.frombuffer(self.data, np.uint8)[self.ends] == _CR)
        gaps = np.flatnonzero(stops[:-1] != self.starts[1:])
        firsts, lasts = np.append(0, gaps + 1), np.append(gaps, len(self) - 1)
        data = memoryview(self.data)
        return [data[a:b] for a, b in zip(self.starts[firsts].tolist(), stops[lasts].tolist(), strict=True)]


def split_records(blocks: Iterable[bytes], width: int, first_line: int, separator: bytes = b",") -> Iterator[Records]:
    """Divide blocks of UTF-8 into rows of `width` fields. Blank lines are not rows. Memory stays near a block's size.

    A broken row takes no other row with it: the line after it begins a new row. Raises BadInput at a line that is too
    long.
    """
    rest, line = b"", first_line
    for block in blocks:
        data = rest + block
        window = _Window(data[: data.rfind(b"\n") + 1], width, separator, line, is_final=False)
        yield window.records()
        rest = data[window.used :]
        line += window.lines_used
        if len(rest) > MAX_LINE_BYTES:
            raise BadInput(f"Line {line:,} is longer than {MAX_LINE_BYTES:,} bytes, so the file is not a CSV of rows.")
    if rest:
        rest = rest if rest.endswith(b"\n") else rest + b"\n"
        yield _Window(rest, width, separator, line, is_final=True).records()


def read_fields(text: bytes, separator: bytes = b",") -> list[str] | None:
    """The fields of a row; None where its quotes or line breaks make them ambiguous."""
    try:
        return next(csv.reader([text.decode(errors="replace")], delimiter=separator.decode(), strict=True), [])
    except csv.Error:
        return None


def write_row(file: TextIO, fields: Sequence[str]) -> None:
    """As CSV. Python before 3.13 does not quote a lone carriage return, and no reader takes one outside of quotes."""
    has_return = any("\r" in field for field in fields)
    csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL if has_return else csv.QUOTE_MINIMAL).writerow(fields)


class _Patterns(NamedTuple):
    """A whole record, a field with the separator before it, and a record whose last quote is open."""

    record: re.Pattern[bytes]
    next_field: re.Pattern[bytes]
    open_at_end: re.Pattern[bytes]


@cache
def _patterns(separator: bytes) -> _Patterns:
    quoted = rb'"[^"]*+(?:""[^"]*+)*+'
    field = rb"(?>%b\"|[^\"%b\r\n][^%b\r\n]*|)" % (quoted, separator, separator)
    return _Patterns(
        record=re.compile(rb"%b(?:%b%b)*+(?=\r?\n)" % (field, separator, field)),
        next_field=re.compile(rb"(?:\A|%b)%b" % (separator, field)),
        open_at_end=re.compile(rb"(?:%b%b)*+%b\Z" % (field, separator, quoted)),
    )


class _Window:
    """Some whole lines of the file. Each is a row, unless quotes join it with the lines that follow.

    `used` bytes and `lines_used` lines make whole rows. Unless the window `is_final`, its last row may need more lines.
    """

    def __init__(self, data: bytes, width: int, separator: bytes, first_line: int, *, is_final: bool) -> None:
        self._data = data
        self._width = width
        self._patterns = _patterns(separator)
        self._first_line = first_line
        self._is_final = is_final
        self._bytes = np.frombuffer(data, np.uint8)
        separators = np.flatnonzero((self._bytes == _LF) | (self._bytes == separator[0]))
        line_ends = np.flatnonzero(self._bytes[separators] == _LF)
        breaks = separators[line_ends]
        self._separators = np.diff(line_ends, prepend=-1) - 1
        self._starts: _Positions = np.concatenate((np.zeros(1, np.int64), breaks + 1))
        returns = self._bytes[breaks - 1] == _CR  # an empty first line looks at the last byte, which is LF
        self._ends = breaks - returns
        self._has_lone_returns = np.count_nonzero(self._bytes == _CR) > np.count_nonzero(returns)
        self._has_nul = b"\0" in data
        self._is_row = self._ends > self._starts[:-1]
        self._broken: dict[int, str] = {}
        self.lines_used = len(breaks)

    @property
    def used(self) -> int:
        return int(self._starts[self.lines_used])

    def records(self) -> Records:
        self._check_lines()
        self._check_quoted_rows()
        self._is_row[list(self._broken)] = False
        rows = np.flatnonzero(self._is_row[: self.lines_used])
        broken = [
            BrokenRow(self._first_line + line, reason, self._data[int(self._starts[line]) : int(self._ends[line])])
            for line, reason in sorted(self._broken.items())
            if line < self.lines_used
        ]
        return Records(self._data, self._starts[rows], self._ends[rows], rows + self._first_line, broken)

    def _check_lines(self) -> None:
        """Find the broken lines as if there were no quotes; `_check_quoted_rows` corrects that where there are."""
        for line in np.flatnonzero(self._is_row & (self._separators != self._width - 1)).tolist():
            self._broken[line] = self._wrong_width(int(self._separators[line]) + 1)
        if self._has_lone_returns:
            returns = np.flatnonzero(self._bytes == _CR)
            for line in self._lines_of(returns[self._bytes[returns + 1] != _LF]):
                self._broken[line] = _LONE_RETURN
        if self._has_nul:
            for line in self._lines_of(np.flatnonzero(self._bytes == _NUL)):
                self._broken[line] = _NUL_BYTE

    def _check_quoted_rows(self) -> None:
        next_line = 0
        for line in self._lines_of(np.flatnonzero(self._bytes == _QUOTE)):
            if line >= self.lines_used:
                return
            if line >= next_line:
                next_line = self._check_quoted_row(line)

    def _lines_of(self, places: _Positions) -> list[int]:
        """The lines that hold these places, each once and in order."""
        lines: list[int] = np.unique(np.searchsorted(self._starts, places, side="right") - 1).tolist()
        return lines

    def _check_quoted_row(self, line: int) -> int:
        """Find the end of the row that begins on `line`, and what is wrong with it; returns the line after it."""
        start = int(self._starts[line])
        match = self._patterns.record.match(self._data, start)
        if match is None:
            self._end_open_quote(line, start)
            return line + 1
        is_one_line = match.end() == self._ends[line]
        next_line = line + 1 if is_one_line else int(np.searchsorted(self._starts, match.end(), side="right"))
        self._ends[line] = match.end()
        self._is_row[line + 1 : next_line] = False
        for part in range(line, next_line):
            self._broken.pop(part, None)
        fields = len(self._patterns.next_field.findall(match[0]))
        if self._has_nul and b"\0" in match[0]:
            self._broken[line] = _NUL_BYTE
        elif fields != self._width:
            self._broken[line] = self._wrong_width(fields)
        return next_line

    def _end_open_quote(self, line: int, start: int) -> None:
        """The row may end in the next window. Otherwise only this line is broken, and the next one begins a new row."""
        may_go_on = not self._is_final and len(self._data) - start <= MAX_QUOTED_BYTES
        if may_go_on and self._patterns.open_at_end.match(self._data, start):
            self.lines_used = line
        elif self._broken.get(line) != _LONE_RETURN:
            self._broken[line] = _BAD_QUOTES

    def _wrong_width(self, fields: int) -> str:
        return f"the row has {fields} {'field' if fields == 1 else 'fields'} instead of {self._width}"
