"""A CSV's rows, each with the line it begins on, read with nothing of the client: two readers, one answer.

A row whose quotes do not pair up is broken alone: reading goes on with the line that follows it, so that it cannot
swallow its neighbours.
"""

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from invoices.line import Line
from pipeline_ops.csv_text import csv_lines
from pipeline_ops.errors import OpsError

COLUMNS = tuple(name for name in Line.model_fields if name != "Occurrence")
_LONGEST_QUOTED_TEXT = 1024 * 1024  # further than this an end of a quoted value is not looked for
_QUOTED = r'"[^"]*+(?:""[^"]*+)*+'
_FIELD = rf'(?>{_QUOTED}"|[^",\r\n][^,\r\n]*+|)'
_ROW = re.compile(rf"{_FIELD}(?:,{_FIELD})*+\Z")
_OPEN_ROW = re.compile(rf"(?:{_FIELD},)*+{_QUOTED}\Z")


@dataclass(frozen=True, slots=True)
class CsvRow:
    """`number` is the line of the file, from 1, on which the row begins. `fields` is None where it is broken."""

    number: int
    fields: Sequence[str] | None


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, str] | None]]:
    """Line number and values of every row that is not blank; None where a row has not one value for each column.

    Raises OpsError where the file cannot be read, or its header is not the eight columns. An empty file has no rows.
    """
    with csv_lines(path) as lines:
        blanks, header = _header(lines)
        if not header:
            return
        columns = _checked_header(header)
        for row in split_rows(lines, first_number=blanks + 2):
            fits = row.fields is not None and len(row.fields) == len(columns)
            yield row.number, dict(zip(columns, row.fields or (), strict=True)) if fits else None


def _header(lines: Iterable[str]) -> tuple[int, str]:
    """The first line that is not blank, and how many are before it; empty text where there is none."""
    for blanks, line in enumerate(lines):
        if line.strip():
            return blanks, line
    return 0, ""


def _checked_header(line: str) -> list[str]:
    columns = next(csv.reader([line.rstrip("\r\n")]), [])
    if sorted(columns) != sorted(COLUMNS):
        raise OpsError(f"The file's first line must name these columns and no others: {', '.join(COLUMNS)}.")
    return columns


def split_rows(lines: Iterable[str], first_number: int) -> Iterator[CsvRow]:
    """Rows of lines that still have their line breaks."""
    source = _PushBack(lines, first_number)
    for number, line in source:
        text = _without_break(line)
        if '"' in text:
            yield CsvRow(number, _quoted_fields(line, source))
        elif text:
            yield CsvRow(number, None if "\r" in text or "\0" in text else text.split(","))


def _quoted_fields(line: str, source: "_PushBack") -> list[str] | None:
    """The fields of a row that begins with this line; takes the lines that a quoted value goes on over."""
    taken: list[str] = []
    text = line
    while _OPEN_ROW.match(text) and len(text) <= _LONGEST_QUOTED_TEXT and (more := source.take_to_quote()):
        taken.extend(more)
        text = "".join((text, *more))
    text = _without_break(text)
    if not _ROW.match(text):
        source.give_back(taken)
        return None
    return None if "\0" in text else _parsed(text)


def _parsed(text: str) -> list[str]:
    csv.field_size_limit(sys.maxsize)  # an overlong field is a refused row, not the end of the file
    return next(csv.reader(io.StringIO(text, newline="")))


def _without_break(line: str) -> str:
    return line.removesuffix("\n").removesuffix("\r")


class _PushBack:
    """Numbered lines, some of which can be given back and come again."""

    def __init__(self, lines: Iterable[str], first_number: int) -> None:
        self._lines = iter(lines)
        self._returned: list[str] = []
        self._number = first_number - 1

    def __iter__(self) -> Iterator[tuple[int, str]]:
        while (line := self.take()) is not None:
            yield self._number, line

    def take(self) -> str | None:
        line = self._returned.pop() if self._returned else next(self._lines, None)
        self._number += line is not None
        return line

    def take_to_quote(self) -> list[str]:
        """The next lines up to one with a quote, which alone may close a value; none at the end of the file."""
        taken: list[str] = []
        size = 0
        while size <= _LONGEST_QUOTED_TEXT and (line := self.take()) is not None:
            taken.append(line)
            size += len(line)
            if '"' in line:
                break
        return taken

    def give_back(self, lines: list[str]) -> None:
        self._returned.extend(reversed(lines))
        self._number -= len(lines)
