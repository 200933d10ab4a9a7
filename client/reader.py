"""From a file to rows that are ready to be sent, a block at a time. No object is made for each row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from client.columns import COLUMNS, Column, distinct, json_texts, normal_columns, read_columns
from client.csv_file import Source
from client.dates import DateOrder, possible_orders
from client.errors import BadInput, FileChanged
from client.header import NO_SETTINGS, HeaderSettings, split_header
from client.records import BrokenRow, Records, split_records
from client.repeats import Repeats


@dataclass(frozen=True, slots=True)
class Chunk:
    """Neighbouring rows of a file, and the broken ones among them."""

    rows: "Rows"
    broken: Sequence[BrokenRow]


class Reader:
    """Reads a file's rows once. The constructor reads and checks the header, and raises BadInput where it is wrong.

    An empty file has a header without columns.
    """

    def __init__(self, source: Source, dates: DateOrder = "mdy", header_settings: HeaderSettings = NO_SETTINGS) -> None:
        self._source = source
        self._dates = dates
        self._blocks = source.blocks()
        self.header, self._rest, self._first_line = split_header(self._blocks, header_settings)

    def chunks(self) -> Iterator[Chunk]:
        """Raises BadInput where the file cannot be read to its end, and FileChanged."""
        repeats, fraction = Repeats(), 0.0
        try:
            for records in self._records():
                rows = self._rows(records, repeats, fraction)
                fraction = self._source.fraction
                yield Chunk(rows, records.broken)
        except UnicodeDecodeError as error:  # the first reading could decode all of it
            raise FileChanged from error

    def parsed_columns(self) -> Iterator[tuple[Records, Mapping[str, Column]]]:
        """For a reader that sends nothing: neighbouring rows, and their columns in normal form."""
        for records in self._records():
            yield records, normal_columns(self._columns(records), self._dates) if len(records) else {}

    def first_dates(self) -> dict[frozenset[DateOrder], int]:
        """Read the whole file: for each set of orders that dates with slashes fit, the first line with such a date."""
        lines: dict[frozenset[DateOrder], int] = {}
        for records in self._records():
            if not len(records):
                continue
            column = self._columns(records)["InvoiceDate"]
            orders = [possible_orders(text) for text in column.values]
            for each in set(orders) - lines.keys():
                codes = [code for code, found in enumerate(orders) if found == each]
                lines[each] = int(records.lines[np.isin(column.codes, codes).argmax()])
        lines.pop(frozenset(), None)
        return lines

    def is_month_first(self) -> bool:
        """Read up to the first date that fits month/day alone; False where there is none."""
        columns = (self._columns(records)["InvoiceDate"] for records in self._records() if len(records))
        return any(possible_orders(text) == {"mdy"} for column in columns for text in column.values)

    def _records(self) -> Iterator[Records]:
        blocks = chain([self._rest], self._blocks)
        return split_records(blocks, len(self.header.columns), self._first_line, self.header.separator)

    def _columns(self, records: Records) -> Mapping[str, Column]:
        """Those that are sent."""
        columns = read_columns(records.pieces(), self.header.columns, self.header.separator)
        return {name: column for name, column in columns.items() if name in COLUMNS}

    def _rows(self, records: Records, repeats: Repeats, read_before: float) -> "Rows":
        if not len(records):
            return Rows()
        columns = normal_columns(self._columns(records), self._dates)
        invoices = distinct(columns["InvoiceNo"])
        if len(invoices.codes) != len(records):
            raise BadInput("The rows of the file are ambiguous: two ways to read them find different rows.")
        texts = json_texts(columns, repeats.number(columns))
        block = ParsedBlock(records, texts, invoices, read_before, self._source.fraction)
        return Rows((RowSpan(block, 0, len(records)),))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some rows in the file's order, which may come from several blocks. To take a part copies no row."""

    spans: tuple["RowSpan", ...] = ()

    def __len__(self) -> int:
        return sum(map(len, self.spans))

    def part(self, start: int, end: int) -> "Rows":
        parts = [span.part(start - before, end - before) for span, before in self._spans()]
        return Rows(tuple(part for part in parts if part))

    def concat(self, more: "Rows") -> "Rows":
        return Rows(self.spans + more.spans)

    def ndjson(self) -> memoryview:
        """The JSON of all rows, with line breaks between them."""
        return memoryview(b"".join(chain.from_iterable(span.texts() for span in self.spans)))[1:]

    def sizes(self) -> NDArray[np.int64]:
        """Bytes of each row's JSON with its line break."""
        return np.concatenate([span.sizes() for span in self.spans])

    def invoice_starts(self) -> Iterator[int]:
        """The rows that have another invoice than the row before; the first row is not among them."""
        last: str | None = None
        for span, before in self._spans():
            if before and span.invoice(0) != last:
                yield before
            yield from (before + start for start in span.invoice_starts())
            last = span.invoice(-1)

    def line(self, index: int) -> int:
        """The line of the file that a row begins on; -1 is the last row, as in a list."""
        block, place = self._locate(index)
        return int(block.records.lines[place])

    def original(self, index: int) -> bytes:
        """A row as the file has it."""
        block, place = self._locate(index)
        return block.records.text(place)

    @property
    def fraction(self) -> float:
        """How much of the file was read when the last of these rows was, from 0 to 1."""
        block, place = self._locate(-1)
        return block.read_before + (block.read_after - block.read_before) * (place + 1) / len(block.records)

    def _spans(self) -> Iterator[tuple["RowSpan", int]]:
        """Each span, and how many rows are before it."""
        before = 0
        for span in self.spans:
            yield span, before
            before += len(span)

    def _locate(self, index: int) -> tuple["ParsedBlock", int]:
        """The block that holds a row, and the row's place in it."""
        index %= len(self)
        span, before = next(pair for pair in self._spans() if index < pair[1] + len(pair[0]))
        return span.block, span.start + index - before


@dataclass(frozen=True, slots=True, eq=False)
class RowSpan:
    """Neighbouring rows of a block."""

    block: "ParsedBlock"
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def part(self, start: int, end: int) -> "RowSpan":
        """Bounds outside the span are moved to its ends."""
        first = self.start + max(start, 0)
        return RowSpan(self.block, first, max(first, min(self.start + end, self.end)))

    def texts(self) -> list[bytes]:
        fragments = len(self.block.texts) // len(self.block.records)
        return self.block.texts[self.start * fragments : self.end * fragments]

    def sizes(self) -> NDArray[np.int64]:
        """Bytes of each row's text."""
        fragments = np.fromiter(map(len, self.texts()), np.int64)
        sizes: NDArray[np.int64] = fragments.reshape(len(self), -1).sum(axis=1)
        return sizes

    def invoice(self, index: int) -> str:
        code = int(self.block.invoices.codes[self.start : self.end][index])
        return self.block.invoices.values[code]

    def invoice_starts(self) -> list[int]:
        """The rows that have another invoice than the row before; the first row is not among them."""
        codes = self.block.invoices.codes[self.start : self.end]
        starts: list[int] = (np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist()
        return starts


@dataclass(frozen=True, slots=True, eq=False)
class ParsedBlock:
    """Rows that were read together: what the file holds, and what the API gets.

    `texts` holds the same number of fragments for each row; those of a row, joined, are a line break and its
    JSON. In `invoices`, each text has one code only. `read_before` and `read_after` say how much of the file was read,
    from 0 to 1.
    """

    records: Records
    texts: list[bytes]
    invoices: Column
    read_before: float
    read_after: float
