"""An invoice and its totals, computed from the lines each time they are asked for and stored nowhere."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from operator import itemgetter
from typing import TypeAlias

from invoices.limits import MAX_SLICE_BYTES, MAX_SLICE_LINES
from invoices.line import Line, content, line_id_of
from invoices.money import exact_product, exact_sum
from invoices.rows import Rows

# Slices: the lines of one invoice that one record brought, as an immutable set with a name of its own.

_ID_BYTES = 12
_Place: TypeAlias = tuple[str, tuple[str, ...], int, str]
"""Where a line stands among others: its date, its content, its Occurrence and its line id."""

_LINE_OVERHEAD_BYTES = 160  # the names of a line's attributes, its line id and DynamoDB's bytes for each of them


@dataclass(frozen=True, slots=True)
class Slice:
    """Some lines of one invoice by line id, in the order of their content. The same lines are always the same slice."""

    invoice_no: str
    slice_id: str
    lines: Mapping[str, Line]

    @property
    def customer_ids(self) -> list[str]:
        """Each customer that a line names, once. Lines without a customer name none."""
        return sorted({line.CustomerID for line in self.lines.values() if line.CustomerID})


def slices_of(rows: Rows, batch_id: str) -> list[Slice]:
    """Cut one record's lines into slices: one for each invoice, more where it would pass a limit.

    It must be given a whole record, never a Lambda batch: those are cut anew on redelivery, and other cuts are
    other slices.
    """
    invoices: dict[str, dict[str, tuple[_Place, Line]]] = defaultdict(dict)
    for line, index in zip(rows.lines, rows.indexes, strict=True):
        texts = content(line)
        name = line_id_of(texts, line.Occurrence, batch_id, index)
        invoices[line.InvoiceNo][name] = (_place(line, texts, name), line)
    return [invoice_slice for invoice_no, lines in invoices.items() for invoice_slice in _cut(invoice_no, lines)]


def in_order(lines: Mapping[str, Line]) -> dict[str, Line]:
    """Ordered by what the lines say, so that no redelivery and no other order of sending can change an answer."""
    return dict(sorted(lines.items(), key=lambda item: _place(item[1], content(item[1]), item[0])))


def _place(line: Line, texts: tuple[str, ...], name: str) -> _Place:
    return line.InvoiceDate, texts, line.Occurrence or 0, name


def _cut(invoice_no: str, lines: Mapping[str, tuple[_Place, Line]]) -> Iterator[Slice]:
    kept: dict[str, Line] = {}
    size = 0
    for (_, texts, _, name), line in sorted(lines.values(), key=itemgetter(0)):
        line_bytes = _LINE_OVERHEAD_BYTES + len("".join(texts).encode())
        if len(kept) == MAX_SLICE_LINES or size + line_bytes > MAX_SLICE_BYTES:
            yield _named(invoice_no, kept)
            kept, size = {}, 0
        kept[name] = line
        size += line_bytes
    yield _named(invoice_no, kept)


def _named(invoice_no: str, lines: Mapping[str, Line]) -> Slice:
    return Slice(invoice_no, _slice_id(lines), lines)


def _slice_id(line_ids: Iterable[str]) -> str:
    return blake2b("".join(sorted(line_ids)).encode(), digest_size=_ID_BYTES).hexdigest()


def union(slices: Iterable[Slice]) -> dict[str, Line]:
    """All lines by line id, each once, in order. Overlapping, repeated and reordered slices make no difference."""
    lines: dict[str, Line] = {}
    for invoice_slice in slices:
        lines.update(invoice_slice.lines)
    return in_order(lines)


@dataclass(frozen=True, slots=True)
class Invoice:
    """The union of an invoice's slices: lines by line id, in order."""

    invoice_no: str
    lines: Mapping[str, Line]


@dataclass(frozen=True, slots=True)
class Totals:
    """What some lines add up to. `amount` is the exact sum of quantity times unit price."""

    lines: int
    quantity: int
    amount: Decimal


def invoice_of(invoice_no: str, slices: Iterable[Slice]) -> Invoice:
    return Invoice(invoice_no, union(slices))


def totals_of(lines: Iterable[Line]) -> Totals:
    count, quantity, amount = 0, 0, Decimal(0)
    for line in lines:
        count += 1
        quantity += line.Quantity
        amount = exact_sum(amount, exact_product(line.Quantity, line.UnitPrice))
    return Totals(count, quantity, amount)
