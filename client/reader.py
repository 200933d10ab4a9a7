"""From a file to rows that are ready to be sent, a chunk at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from client.columns import read_header
from client.failures import BadInput
from client.json_texts import canonical_columns, json_texts
from client.limits import MAX_LINE_BYTES
from client.records import BrokenRow, Records, split_records
from client.repeats import Repeats
from client.rows import Block, Rows, Stretch
from client.source import Source, changed
from client.table import distinct, read_columns


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
        block = Block(records, texts, invoices, read_before, self._source.fraction)
        return Rows((Stretch(block, 0, len(records)),))


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
