"""An invoice and its totals, computed from the lines each time they are asked for and stored nowhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from invoices.line import Line
from invoices.money import plus, times
from invoices.slices import Slice, union


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
        amount = plus(amount, times(line.Quantity, line.UnitPrice))
    return Totals(count, quantity, amount)
