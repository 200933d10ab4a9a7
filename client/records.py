"""Where one row of the file ends and the next begins, and on which line.

pandas alone cannot be trusted with this: it fills up a row with too few fields and cuts the first row of a chunk that
has too many, both in silence; it stops at other rows with too many; it splits a row at a lone carriage return; and it
lets a quote that is never closed swallow all rows up to the next one. So rows are told apart here, and pandas is given
whole rows only.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from client.errors import BadInput
from client.limits import MAX_LINE_BYTES, MAX_QUOTED_BYTES

_Positions: TypeAlias = NDArray[np.int64]

_LF, _CR, _COMMA, _QUOTE, _NUL = b'\n\r,"\0'
_QUOTED = rb'"[^"]*+(?:""[^"]*+)*+'
_FIELD = rb"(?>" + _QUOTED + rb'"|[^",\r\n][^,\r\n]*|)'
_RECORD = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*+(?=\r?\n)")
_NEXT_FIELD = re.compile(rb"(?:\A|,)" + _FIELD)
_OPEN_AT_END = re.compile(rb"(?:" + _FIELD + rb",)*+" + _QUOTED + rb"\Z")

_BAD_QUOTES = "its quotes do not pair up"
_NUL_BYTE = "it holds a NUL byte"
_LONE_RETURN = "it holds a carriage return environment quotes"


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that cannot be told into its fields; `line` counts the file's lines from 1."""

    line: int
    reason: str
    text: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Rows of the right shape, as the file has them, each with the line it begins on; and those that are broken.

    Only where rows are in `data` is kept, not each row: few are ever looked at again.
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
        """All rows with their line ends: as few pieces as blank lines and broken rows between them allow."""
        stops = self.ends + 1 + (np.frombuffer(self.data, np.uint8)[self.ends] == _CR)
        gaps = np.flatnonzero(stops[:-1] != self.starts[1:])
        firsts, lasts = np.append(0, gaps + 1), np.append(gaps, len(self) - 1)
        data = memoryview(self.data)
        return [data[a:b] for a, b in zip(self.starts[firsts].tolist(), stops[lasts].tolist(), strict=True)]


@cache
def _record_of(width: int) -> re.Pattern[bytes]:
    """A row of so many fields, as most are: one look tells where it ends and that it fits."""
    return re.compile(_FIELD + rb"(?:," + _FIELD + rb"){%d}(?=\r?\n)" % (width - 1))


def read_fields(text: bytes) -> list[str] | None:
    """The fields of a row; None where its quotes or line breaks leave open what they are."""
    try:
        return next(csv.reader([text.decode(errors="replace")], strict=True), [])
    except csv.Error:
        return None


def split_records(blocks: Iterable[bytes], width: int, first_line: int) -> Iterator[Records]:
    """Cut blocks of UTF-8 into rows of `width` fields. Blank lines are no rows. Memory stays near a block's size.

    A row that is broken does not touch its neighbours: reading goes on with the line that follows.
    """
    rest, line = b"", first_line
    for block in blocks:
        data = rest + block
        end = data.rfind(b"\n") + 1
        window = _Window(data[:end], width, line, final=False)
        yield window.records()
        rest = data[window.used :]
        line += window.lines_used
        if len(rest) > MAX_LINE_BYTES:
            raise BadInput(f"Line {line:,} is longer than {MAX_LINE_BYTES:,} bytes; this is no CSV of rows.")
    if rest:
        yield _Window(rest if rest.endswith(b"\n") else rest + b"\n", width, line, final=True).records()


class _Window:
    """Some whole lines. `used` and `lines_used` say how far they make whole rows; unless final, more may follow."""

    def __init__(self, data: bytes, width: int, first_line: int, *, final: bool) -> None:
        self._data = data
        self._width = width
        self._first_line = first_line
        self._final = final
        self._bytes = np.frombuffer(data, np.uint8)
        separators = np.flatnonzero((self._bytes == _LF) | (self._bytes == _COMMA))
        line_ends = np.flatnonzero(self._bytes[separators] == _LF)
        breaks = separators[line_ends]
        self._commas = np.diff(line_ends, prepend=-1) - 1
        self._starts: _Positions = np.concatenate((np.zeros(1, np.int64), breaks + 1))
        returns = self._bytes[breaks - 1] == _CR  # for a first, empty line that byte is the last: LF
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
        self._check_shapes()
        self._check_quoted_lines()
        self._is_row[list(self._broken)] = False
        rows = np.flatnonzero(self._is_row[: self.lines_used])
        lines = rows + self._first_line
        return Records(self._data, self._starts[rows], self._ends[rows], lines, self._broken_rows())

    def _where(self, byte: int) -> _Positions:
        places: _Positions = np.flatnonzero(self._bytes == byte)
        return places

    def _lines_of(self, places: _Positions) -> list[int]:
        """The lines, each once and in order, that hold these places."""
        lines: list[int] = np.unique(np.searchsorted(self._starts, places, side="right") - 1).tolist()
        return lines

    def _check_shapes(self) -> None:
        """Judge every line as if it had no quotes; those that have some are judged again."""
        for line in np.flatnonzero(self._is_row & (self._commas != self._width - 1)).tolist():
            self._broken[line] = self._ragged(int(self._commas[line]) + 1)
        for line in self._lines_of(self._lone_returns()) if self._has_lone_returns else ():
            self._broken[line] = _LONE_RETURN
        for line in self._lines_of(self._where(_NUL)) if self._has_nul else ():
            self._broken[line] = _NUL_BYTE

    def _lone_returns(self) -> _Positions:
        returns = self._where(_CR)
        lone: _Positions = returns[self._bytes[returns + 1] != _LF]
        return lone

    def _check_quoted_lines(self) -> None:
        done = 0
        for line in self._lines_of(self._where(_QUOTE)):
            if line >= self.lines_used:
                return
            if line >= done:
                done = self._check_quoted(line)

    def _check_quoted(self, line: int) -> int:
        """Judge the row that begins on `line`; gives the line after it."""
        start = int(self._starts[line])
        match = _record_of(self._width).match(self._data, start) or _RECORD.match(self._data, start)
        if match is None:
            return self._without_end(line, start)
        next_line = line + 1
        if match.end() != self._ends[line]:
            next_line = int(np.searchsorted(self._starts, match.end(), side="right"))
        self._merge(line, next_line, match.end(), self._reason(match))
        return next_line

    def _reason(self, match: re.Match[bytes]) -> str | None:
        if self._has_nul and b"\0" in match[0]:
            return _NUL_BYTE
        return None if match.re is not _RECORD else self._ragged(len(_NEXT_FIELD.findall(match[0])))

    def _without_end(self, line: int, start: int) -> int:
        """An open quote may end in the next block; otherwise this line alone is broken, and the next is a new row."""
        may_go_on = not self._final and len(self._data) - start <= MAX_QUOTED_BYTES
        if may_go_on and _OPEN_AT_END.match(self._data, start):
            self.lines_used = line
        elif self._broken.get(line) != _LONE_RETURN:
            self._broken[line] = _BAD_QUOTES
        return line + 1

    def _merge(self, line: int, next_line: int, end: int, reason: str | None) -> None:
        self._ends[line] = end
        self._is_row[line + 1 : next_line] = False
        for part in range(line, next_line):
            self._broken.pop(part, None)
        if reason:
            self._broken[line] = reason

    def _ragged(self, fields: int) -> str:
        return f"it has {fields} fields instead of {self._width}"

    def _broken_rows(self) -> list[BrokenRow]:
        lines = sorted(line for line in self._broken if line < self.lines_used)
        return [BrokenRow(self._first_line + line, self._broken[line], self._text(line)) for line in lines]

    def _text(self, line: int) -> bytes:
        return self._data[int(self._starts[line]) : int(self._ends[line])]
