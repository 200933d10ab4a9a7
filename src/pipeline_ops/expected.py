"""The lines that a file leads us to expect, read with `csv.reader` or calamine and without any code of the client.

So a mistake of the client's reader cannot hide itself: `verify` and the report of `make run` would show a difference.
"""

import codecs
import csv
import gzip
import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import IO, cast
from zipfile import BadZipFile, ZipFile

from pydantic import ValidationError

from invoices.line import CONTENT_FIELDS, Line, line_id
from pipeline_ops.errors import OpsError

_GZIP_MAGIC = b"\x1f\x8b"
_FIRST_BYTES = 4
_OTHER_NAMES = {"InvoiceNo": "invoice", "UnitPrice": "price"}  # of Online Retail II
_ALL_COLUMNS = ", ".join(CONTENT_FIELDS)
_OTHER_HELP = " --columns THEIRS=OURS says which column is which, as for `send`."
_SLASHES = re.compile(r"^(\d{1,2})/(\d{1,2})/")
_LONGEST_FIELD = 1024 * 1024  # also the farthest that csv.reader looks for the end of a quoted field


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """`number` is the line of the file, from 1. `line` is None where the API must reject the row."""

    number: int
    line: Line | None
    line_id: bytes = b""


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How the file is to be read: the client's options with which it was sent.

    `day_first`: `3/4/2010` is in April. `sheet` is one of a workbook's; None is its first. `columns` has the file's
    name for some of ours.
    """

    day_first: bool = False
    sheet: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


NO_OPTIONS = FileOptions()


def parse_columns(texts: Iterable[str]) -> dict[str, str]:
    """`THEIRS=OURS` texts of the command line: the file's name for each of ours. Raises OpsError."""
    ours_by_name = {_fold(name): name for name in CONTENT_FIELDS}
    columns = {}
    for text in texts:
        theirs, _, ours = text.rpartition("=")
        name = ours_by_name.get(_fold(ours))
        if not theirs.strip() or name is None:
            raise OpsError(f"--columns needs THEIRS=OURS, and OURS is one of {', '.join(CONTENT_FIELDS)}.")
        columns[name] = theirs
    return columns


def expected_rows(path: Path, options: FileOptions = NO_OPTIONS) -> Iterator[ExpectedRow]:
    """Every row of the file in order. Raises OpsError for an unreadable file."""
    repeats = Repeats()
    for number, values in read_rows(path, options):
        if line := _line(values, day_first=options.day_first):
            name, numbered = repeats.number(line)
            yield ExpectedRow(number, numbered, name)
        else:
            yield ExpectedRow(number, None)


class Repeats:
    """Numbers equal rows: the n-th row with exactly this content gets Occurrence n.

    The line id of a row with Occurrence 1 is a hash of its content, so it identifies the content.
    """

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._counts: dict[bytes, int] = {}

    def number(self, line: Line) -> tuple[bytes, Line]:
        """The line id of the row, and the row with its Occurrence."""
        first = line.model_copy(update={"Occurrence": 1})
        content = _line_id(first)
        if content not in self._seen:
            self._seen.add(content)
            return content, first
        self._counts[content] = self._counts.get(content, 1) + 1
        repeated = line.model_copy(update={"Occurrence": self._counts[content]})
        return _line_id(repeated), repeated


def read_rows(path: Path, options: FileOptions = NO_OPTIONS) -> Iterator[tuple[int, dict[str, str] | None]]:
    """The line number and the values of every row; None where a row does not have one value for each column.

    Blank lines are not rows; an empty file has none. Columns that are not ours are left out. Raises OpsError where the
    file cannot be read, or where its first row does not name the eight columns.
    """
    with _open_rows(path, options.sheet) as rows:
        header = next((fields for _, fields in rows if fields is None or "".join(fields).strip()), ())
        if header == ():
            return
        places = _places(path.name, header or (), options.columns)
        for number, fields in rows:
            fits = fields is not None and len(fields) == len(header or ())
            yield number, {name: fields[place] for name, place in places.items()} if fits and fields else None


def _places(file: str, header: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Where each of our columns is. The client knows the same names."""
    folded = [_fold(name) for name in header]
    places = {}
    for name in CONTENT_FIELDS:
        found = [place for place, text in enumerate(folded) if text == _fold(columns.get(name, name))]
        found = found or [place for place, text in enumerate(folded) if text == _OTHER_NAMES.get(name)]
        if len(found) != 1:
            raise OpsError(f"The first line of {file} must name these columns, each once: {_ALL_COLUMNS}.{_OTHER_HELP}")
        places[name] = found[0]
    return places


def _fold(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


@contextmanager
def _open_rows(path: Path, sheet: str | None) -> Iterator[Iterator[tuple[int, Sequence[str] | None]]]:
    if _is_workbook(path):
        yield iter(_sheet_rows(path, sheet))
        return
    if sheet is not None:
        raise OpsError("--sheet is for .xlsx files only.")
    with _open_text(path) as lines:
        start = list(_first_lines(lines))
        separator = _separator(start[-1]) if start else ","
        is_named = bool(start) and start[-1].strip(' "\r\n').lower() == f"sep={separator}"
        yield split_rows(chain([*start[:-1], "\n"] if is_named else start, lines), separator)


def _first_lines(lines: Iterable[str]) -> Iterator[str]:
    """The blank lines at the start, and the first other one."""
    for line in lines:
        yield line
        if line.strip():
            return


def _separator(line: str) -> str:
    """A line like `sep=;` names it, and a header has most of it."""
    named = re.fullmatch(r'\s*"?sep=([;,\t])"?\s*', line, re.IGNORECASE)
    return named[1] if named else max(",;\t", key=line.count)


def _is_workbook(path: Path) -> bool:
    with suppress(OSError, BadZipFile), ZipFile(path) as archive:
        return any(name.startswith("xl/workbook.") for name in archive.namelist())
    return False


def _sheet_rows(path: Path, sheet: str | None) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows of the sheet that hold anything, with their numbers."""
    from python_calamine import CalamineError, load_workbook  # noqa: PLC0415 - most files are CSV

    try:
        with load_workbook(path) as book:
            if sheet is not None and sheet not in book.sheet_names:
                raise OpsError(f"{path.name} has no such sheet. Its sheets are: {', '.join(book.sheet_names)}.")
            chosen = book.get_sheet_by_index(0) if sheet is None else book.get_sheet_by_name(sheet)
            rows = chosen.to_python(skip_empty_area=False)
    except CalamineError as error:
        raise OpsError(f"{path.name} cannot be read: it is damaged, or a password protects it.") from error
    width = max((place for row in rows[:1] for place, cell in enumerate(row, 1) if cell != ""), default=0)
    for number, row in enumerate(rows, 1):
        texts = [_cell_text(cell) for cell in row]
        if any(texts):
            yield number, texts if any(texts[width:]) else texts[:width]


def _cell_text(cell: object) -> str:
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else format(Decimal(repr(cell)), "f")
    if isinstance(cell, datetime):  # Excel keeps it as a float, exact to some microseconds
        return (cell + timedelta(microseconds=500)).isoformat(timespec="milliseconds")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def split_rows(lines: Iterable[str], separator: str = ",") -> Iterator[tuple[int, Sequence[str] | None]]:
    """The number of the line on which each row begins, and its fields; None where csv.reader cannot read the row.

    After such a row csv.reader starts again on the next line, so a quote that is never closed costs only its own row.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    source = iter(lines)
    unread: deque[str] = deque()
    row: list[str] = []

    def row_lines() -> Iterator[str]:
        while (line := unread.popleft() if unread else next(source, None)) is not None:
            row.append(line)
            yield line

    number = 1
    while True:
        row.clear()
        try:
            fields = _next_row(row_lines(), row, separator)
        except csv.Error:
            unread.extendleft(reversed(row[1:]))
            del row[1:]
            yield number, None
        else:
            if fields is None:
                return
            if fields:
                yield number, None if any("\0" in line for line in row) else fields
        number += len(row)


def _next_row(lines: Iterator[str], row: Sequence[str], separator: str) -> list[str] | None:
    """None at the end of the file. Raises csv.Error also for two carriage returns, which csv.reader accepts."""
    fields = next(csv.reader(lines, delimiter=separator, strict=True), None)
    if fields is not None and row[-1].removesuffix("\n").removesuffix("\r").endswith("\r"):
        raise csv.Error
    return fields


@contextmanager
def _open_text(path: Path) -> Iterator[TextIOWrapper]:
    """The file, open as text. Raises OpsError, also while its lines are read, where it cannot be read."""
    try:
        encoding = _encoding(path)
        with TextIOWrapper(_open_bytes(path), encoding, newline="\n") as text:
            yield text
    except UnicodeDecodeError as error:
        raise OpsError(f"{path.name} is not text in UTF-8, cp1252 or UTF-16.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OpsError(f"The gzip data of {path.name} is damaged or ends too early.") from error
    except OSError as error:
        raise OpsError(f"{path.name} cannot be read: {error.strerror or type(error).__name__}.") from error


def _encoding(path: Path) -> str:
    """UTF-8 if every byte fits, otherwise cp1252. A byte order mark says which encoding it is; zeros beside the first
    letters mean UTF-16.
    """
    with _open_bytes(path) as file:
        start = file.read(_FIRST_BYTES)
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise OpsError(f"{path.name} is UTF-32. Save it as UTF-8.")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in start:
        return "utf-16-be" if start.startswith(b"\0") else "utf-16-le"
    has_mark = start.startswith(codecs.BOM_UTF8)
    try:
        with TextIOWrapper(_open_bytes(path), "utf-8-sig", newline="\n") as text:
            deque(text, maxlen=0)  # reads all lines and keeps none
    except UnicodeDecodeError:
        if has_mark:
            raise
        return "cp1252"
    return "utf-8-sig"


def _open_bytes(path: Path) -> IO[bytes]:
    """Gzip is recognised by its first bytes, whatever the name of the file is."""
    with path.open("rb") as file:
        is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return cast("IO[bytes]", gzip.open(path)) if is_gzip else path.open("rb")


def _line(values: dict[str, str] | None, *, day_first: bool) -> Line | None:
    if values and day_first:
        values["InvoiceDate"] = _SLASHES.sub(r"\2/\1/", values["InvoiceDate"])
    try:
        return Line.model_validate(values) if values else None
    except ValidationError:
        return None


def _line_id(line: Line) -> bytes:
    """Bytes, because the ids of half a million lines take twice the memory as text."""
    return bytes.fromhex(line_id(line, batch_id="", number=0))
