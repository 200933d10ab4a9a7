"""What a CSV holds, read with nothing of the client: the standard library's reader, and the shape's own checks."""

import codecs
import csv
import gzip
import io
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from pydantic import ValidationError

from invoices.line import Line
from invoices.line_id import line_id
from local_runtime.errors import RunError
from local_runtime.tally import Example, Tally

_FIELDS = tuple(name for name in Line.model_fields if name != "Occurrence")
_GZIP_MAGIC = b"\x1f\x8b"
_READ_BYTES = 1 << 20


@dataclass
class Expected:
    """`rows_read` rows, of which `rejected` are no lines; the examples are the first that it names."""

    rows_read: int = 0
    rejected: int = 0
    tally: Tally = field(default_factory=Tally)
    invoice: Example | None = None
    customer: Example | None = None

    @property
    def accepted(self) -> int:
        return self.rows_read - self.rejected


def read_expected(path: Path) -> Expected:
    """Raises RunError where the file cannot be read as a CSV with the eight columns."""
    expected = Expected()
    occurrences: dict[bytes, int] = defaultdict(int)
    for row in _rows(path):
        expected.rows_read += 1
        line = _line(row)
        if line is None:
            expected.rejected += 1
        else:
            _count(expected, line, occurrences)
    return expected


def _count(expected: Expected, line: Line, occurrences: dict[bytes, int]) -> None:
    """Rows with one content are told apart by number, counted on the first one's line id, which is their content's."""
    first = line_id(line, batch_id="", index=0)
    key = bytes.fromhex(first)
    occurrences[key] += 1
    number = occurrences[key]
    own = first if number == 1 else line_id(line.model_copy(update={"Occurrence": number}), batch_id="", index=0)
    expected.tally.add(own, line)
    _choose_examples(expected, line)
    for example in (expected.invoice, expected.customer):
        if example:
            example.add(line)


def _choose_examples(expected: Expected, line: Line) -> None:
    """Each at its first row, so none of its rows is passed over."""
    if expected.invoice is None:
        invoice = line.InvoiceNo
        expected.invoice = Example(invoice, lambda other: other.InvoiceNo == invoice)
    if expected.customer is None and (customer := line.CustomerID):
        expected.customer = Example(customer, lambda other: other.CustomerID == customer)


def _line(row: dict[str, str]) -> Line | None:
    try:
        return Line.model_validate({**row, "Occurrence": 1})
    except ValidationError:
        return None


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Every row that is not blank, short ones filled up with empty text as a spreadsheet would."""
    csv.field_size_limit(sys.maxsize)  # an overlong field is a rejected row, not the end of the file
    try:
        with _opened(path) as file, io.TextIOWrapper(file, encoding=_encoding(path), newline="") as text:
            yield from _records(text)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"{path} cannot be read as a CSV ({type(error).__name__})") from error


def _records(text: io.TextIOWrapper) -> Iterator[dict[str, str]]:
    reader = csv.DictReader(text, restkey="more fields than columns", restval="")
    if reader.fieldnames is None:
        return
    if missing := [name for name in _FIELDS if name not in reader.fieldnames]:
        raise RunError(f"the CSV has no column {missing[0]}")
    yield from reader


def _encoding(path: Path) -> str:
    """UTF-8 if every byte of the file is, else the one that spreadsheets in the West write."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _opened(path) as file:
        try:
            for block in iter(lambda: file.read(_READ_BYTES), b""):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def _opened(path: Path) -> IO[bytes]:
    """The file's bytes, inflated if it is gzip, whatever its name says."""
    with path.open("rb") as file:
        zipped = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return cast("IO[bytes]", gzip.open(path)) if zipped else path.open("rb")
