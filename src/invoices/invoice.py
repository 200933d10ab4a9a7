"""An invoice as the union of its slices, and the totals of its lines.

One record brings some lines of an invoice. They become a slice: a set that never changes, with an id that is computed
from the ids of its lines and from what is stated about them. Reading an invoice unites its slices by line id, and of
several statements about one line the strongest holds. So slices may overlap, repeat and arrive in any order, and the
answer stays the same. Totals are computed from that union and stored nowhere.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple

from invoices.limits import MAX_SLICE_BYTES, MAX_SLICE_LINES
from invoices.line import Line, content, line_id_from_content, numbers_in_batch, statement_that_holds
from invoices.money import exact_product, exact_sum
from invoices.rows import Rows


@dataclass(frozen=True, slots=True)
class Slice:
    """Some lines of one invoice by line id, in the order of an answer. The same lines always make the same slice.

    A line that is taken back is one of them: the slice that first brought the line is never changed.
    """

    invoice_no: str
    slice_id: str
    lines: Mapping[str, Line]

    @property
    def customer_ids(self) -> list[str]:
        """The customers of the lines, each once. Lines without a customer add none."""
        return sorted({line.CustomerID for line in self.lines.values() if line.CustomerID})


def slices_of(rows: Rows, batch_id: str, numbers: Sequence[int] | None = None) -> list[Slice]:
    """Cut the lines of one record into slices: one for each invoice, or more where one would go beyond a limit.

    `rows` must be a whole record and never a Lambda batch. A redelivery cuts Lambda batches elsewhere, and that would
    make other slices. `numbers` are those of `line_id`, for rows that are only a part of their batch.
    """
    invoices: dict[str, dict[str, _Entry]] = defaultdict(dict)
    for line, number in zip(rows.lines, numbers or numbers_in_batch(rows.lines), strict=True):
        texts = content(line)
        line_id = line_id_from_content(texts, line.Occurrence, batch_id, number)
        entries = invoices[line.InvoiceNo]
        held = statement_that_holds(entries[line_id].line, line) if line_id in entries else line
        entries[line_id] = _Entry(line.InvoiceDate, texts, line.Occurrence or 0, line_id, held)
    return [
        Slice(invoice_no, _slice_id(lines), lines)
        for invoice_no, entries in invoices.items()
        for lines in _cut(sorted(entries.values()))
    ]


def slice_of_lines(invoice_no: str, lines: Mapping[str, Line]) -> Slice:
    """A slice of these lines, which must be no more than those of another slice: it is not cut."""
    return Slice(invoice_no, _slice_id(lines), union([Slice(invoice_no, "", lines)]))


def union(slices: Iterable[Slice]) -> dict[str, Line]:
    """The statement that holds of each line, by line id, ordered by what they say and not by when they arrived."""
    lines: dict[str, Line] = {}
    for invoice_slice in slices:
        for line_id, line in invoice_slice.lines.items():
            lines[line_id] = statement_that_holds(lines[line_id], line) if line_id in lines else line
    entries = sorted(_Entry(*sort_key(line), line_id, line) for line_id, line in lines.items())
    return {entry.line_id: entry.line for entry in entries}


@dataclass(frozen=True, slots=True)
class Invoice:
    """The union of an invoice's slices by line id, in order: the lines that hold, and those that were taken back."""

    invoice_no: str
    lines: Mapping[str, Line]
    withdrawn: Mapping[str, Line]


def invoice_of(invoice_no: str, slices: Iterable[Slice]) -> Invoice:
    lines = union(slices)
    withdrawn = {line_id: line for line_id, line in lines.items() if line.Withdrawn}
    held = {line_id: line for line_id, line in lines.items() if not line.Withdrawn} if withdrawn else lines
    return Invoice(invoice_no, held, withdrawn)


def sort_key(line: Line) -> tuple[str, tuple[str, ...], int]:
    """The lines of an invoice are in the order of these; the line ids decide between lines that are equal in them."""
    return line.InvoiceDate, content(line), line.Occurrence or 0


@dataclass(frozen=True, slots=True)
class Totals:
    """`amount` is the exact sum of quantity times unit price."""

    lines: int
    quantity: int
    amount: Decimal


def totals_of(lines: Iterable[Line]) -> Totals:
    count, quantity, amount = 0, 0, Decimal(0)
    for line in lines:
        count += 1
        quantity += line.Quantity
        amount = exact_sum(amount, exact_product(line.Quantity, line.UnitPrice))
    return Totals(count, quantity, amount)


class _Entry(NamedTuple):
    """A line behind the values that it is sorted by. Line ids differ, so no comparison reaches `line`."""

    date: str
    content: tuple[str, ...]
    occurrence: int
    line_id: str
    line: Line


_LINE_OVERHEAD_BYTES = 160  # the line id, the names of the attributes, and DynamoDB's own bytes for each of them
_ID_BYTES = 12


def _cut(entries: Iterable[_Entry]) -> Iterator[dict[str, Line]]:
    lines: dict[str, Line] = {}
    size = 0
    for entry in entries:
        line_bytes = _LINE_OVERHEAD_BYTES + len("".join(entry.content).encode())
        if len(lines) == MAX_SLICE_LINES or size + line_bytes > MAX_SLICE_BYTES:
            yield lines
            lines, size = {}, 0
        lines[entry.line_id] = entry.line
        size += line_bytes
    yield lines


def _slice_id(lines: Mapping[str, Line]) -> str:
    """Of a statement its instant and kind count, too, or a withdrawal would overwrite the slice that has the line."""
    names = (name if line.is_ordinary else f"{name}@{line.AsOf}@{line.Withdrawn}" for name, line in lines.items())
    return blake2b("".join(sorted(names)).encode(), digest_size=_ID_BYTES).hexdigest()
