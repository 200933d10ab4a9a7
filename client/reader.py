"""From a file to rows that are ready to be sent, a chunk at a time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain

from client.columns import canonical_columns, distinct, json_texts, read_columns
from client.csv_file import Source, changed
from client.errors import BadInput
from client.limits import MAX_LINE_BYTES
from client.records import BrokenRow, Records, read_fields, split_records
from client.repeats import Repeats
from client.rows import ParsedBlock, Rows, RowSpan

# The header: which columns a file has, and whether they are the ones of an invoice row.

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
_LONGEST_NAME = 40


def read_header(line: bytes) -> tuple[str, ...]:
    """The columns in the file's own order. Raises BadInput that names every missing, unknown and repeated one."""
    names = tuple(read_fields(line) or ())
    if not set(names) & set(COLUMNS):
        raise BadInput(_no_header(line))
    if faults := [*_missing(names), *_unknown(names), *_repeated(names)]:
        raise BadInput(f"The columns do not fit: {'; '.join(faults)}. Needed are, in any order: {', '.join(COLUMNS)}.")
    return names


def _no_header(line: bytes) -> str:
    """The line itself is not shown: without a header it is a row."""
    if b"InvoiceNo" in line and b"\r" in line:
        return "The lines end with a carriage return alone; line feeds are needed."
    for separator, name in ((b";", "semicolons"), (b"\t", "tabs")):
        if b"InvoiceNo" in line and separator in line:
            return f"The columns are separated by {name}; commas are needed."
    return f"The first line names none of the columns. Needed are, in any order: {', '.join(COLUMNS)}."


def _missing(names: Sequence[str]) -> list[str]:
    return [f"{column} is missing" for column in COLUMNS if column not in names]


def _unknown(names: Sequence[str]) -> list[str]:
    return [_about(place, name, names) for place, name in enumerate(names, 1) if name not in COLUMNS]


def _about(place: int, name: str, names: Sequence[str]) -> str:
    close = get_close_matches(name, COLUMNS, n=1)
    hint = f" (meant as {close[0]}?)" if close else ""
    is_name = bool(close) or len(_missing(names)) <= len(COLUMNS) // 2  # else this may be a row's value
    return f"{_shown(place, name) if is_name else f'column {place}'} is unknown{hint}"


def _shown(place: int, name: str) -> str:
    is_plain = 0 < len(name) <= _LONGEST_NAME and name.isprintable()
    return f"{name!r}" if is_plain else f"column {place}"


def _repeated(names: Sequence[str]) -> list[str]:
    return [f"{name} is there {count} times" for name, count in Counter(names).items() if count > 1 and name in COLUMNS]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Neighbouring rows of a file, and the broken ones among them."""

    rows: Rows
    broken: Sequence[BrokenRow]


class Reader:
    """Reads a file's rows once. The header is read, and judged, when the reader is made.

    `columns` are the file's own, in its order; none where the file is empty.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._blocks = source.blocks()
        header, self._rest, self._first_line = _first_line(self._blocks)
        self.columns: tuple[str, ...] = read_header(header) if header else ()

    def chunks(self) -> Iterator[Chunk]:
        """Raises BadInput where the file cannot be read to its end, or is no longer what it was."""
        try:
            yield from self._chunks()
        except UnicodeDecodeError as error:  # all of it was decoded before
            raise changed() from error

    def _chunks(self) -> Iterator[Chunk]:
        repeats, fraction = Repeats(), 0.0
        for records in self._records():
            rows = self._rows(records, repeats, fraction)
            fraction = self._source.fraction
            yield Chunk(rows, records.broken)

    def _records(self) -> Iterator[Records]:
        blocks = chain([self._rest], self._blocks)
        return split_records(blocks, len(self.columns), self._first_line)

    def _rows(self, records: Records, repeats: Repeats, read_before: float) -> Rows:
        if not len(records):
            return Rows()
        columns = canonical_columns(read_columns(records.pieces(), self.columns))
        invoices = distinct(columns["InvoiceNo"])
        if len(invoices.codes) != len(records):
            raise BadInput("The rows of the file cannot be told apart.")
        texts = json_texts(columns, repeats.number(columns))
        block = ParsedBlock(records, texts, invoices, read_before, self._source.fraction)
        return Rows((RowSpan(block, 0, len(records)),))


def _first_line(blocks: Iterator[bytes]) -> tuple[bytes, bytes, int]:
    """The first line that is not blank, the rest of its block, and the number of the line after it."""
    data, number = b"", 1
    for block in blocks:
        data += block
        while b"\n" in data:
            line, _, data = data.partition(b"\n")
            number += 1
            if line.strip():
                return line.strip(), data, number
        if len(data) > MAX_LINE_BYTES:
            raise BadInput("The first line is too long for a header.")
    return data.strip(), b"", number + 1
