"""What a CSV leads us to expect: the line id of every row that is an invoice line, and the rows that are none."""

import codecs
import csv
import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from pydantic import ValidationError

from invoices.line import Line, line_id
from pipeline_ops.errors import OpsError

# A CSV's text, line by line: its encoding is found out by decoding all of it.

_GZIP_MAGIC = b"\x1f\x8b"
_READ_BYTES = 1 << 20


@contextmanager
def csv_lines(path: Path) -> Iterator[Iterator[str]]:
    """The file's lines, each with its line break. Raises OpsError, also while reading, where it cannot be read."""
    with _readable(path), _opened(path) as file:
        encoding = _encoding(file)
        file.seek(0)
        yield (line.decode(encoding) for line in _without_mark(file))


def _without_mark(file: IO[bytes]) -> Iterator[bytes]:
    yield file.readline().removeprefix(codecs.BOM_UTF8)
    yield from file


def _encoding(file: IO[bytes]) -> str:
    """UTF-8 if every byte of the file is, else cp1252, which spreadsheets in the West write."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in iter(lambda: file.read(_READ_BYTES), b""):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _opened(path: Path) -> IO[bytes]:
    """The file's bytes, inflated if it is gzip, whatever its name says."""
    with path.open("rb") as file:
        zipped = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return cast("IO[bytes]", gzip.open(path)) if zipped else path.open("rb")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise OpsError(f"{path.name} is neither UTF-8 nor cp1252 text.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OpsError(f"The gzip data of {path.name} is damaged or ends too early.") from error
    except OSError as error:
        raise OpsError(f"{path.name} cannot be read: {error.strerror or type(error).__name__}.") from error


# A CSV's rows, each with the line it begins on, read with nothing of the client: two readers, one answer.

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


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """`number` is the line of the file, from 1. `line` is None where the row is no invoice line: it is refused."""

    number: int
    line: Line | None
    line_id: bytes = b""


class Repeats:
    """Numbers rows that repeat, by content: the n-th row with exactly this content is Occurrence n.

    A row is known by the line id that it has as the first of its kind, which is a hash of its content.
    """

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._counts: dict[bytes, int] = {}

    def numbered(self, line: Line) -> tuple[bytes, Line]:
        """The row's line id, and the row with its Occurrence."""
        first = line.model_copy(update={"Occurrence": 1})
        content = _line_id(first)
        if content not in self._seen:
            self._seen.add(content)
            return content, first
        self._counts[content] = self._counts.get(content, 1) + 1
        repeated = line.model_copy(update={"Occurrence": self._counts[content]})
        return _line_id(repeated), repeated


def expected_rows(path: Path) -> Iterator[ExpectedRow]:
    """Every row of the file in its order. Raises OpsError where the file cannot be read."""
    repeats = Repeats()
    for number, values in read_rows(path):
        line = _line(values)
        if line is None:
            yield ExpectedRow(number, None)
        else:
            name, numbered = repeats.numbered(line)
            yield ExpectedRow(number, numbered, name)


def _line(values: dict[str, str] | None) -> Line | None:
    try:
        return Line.model_validate(values) if values else None
    except ValidationError:
        return None


def _line_id(line: Line) -> bytes:
    """With Occurrence neither batch nor place counts. Bytes, because half a million texts would take twice the room."""
    return bytes.fromhex(line_id(line, batch_id="", index=0))
