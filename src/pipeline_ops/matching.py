"""Brings together what is missing and what nobody expected: an altered line is both."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from invoices.line import Line
from pipeline_ops.tables_check import Stray

_FIELDS = tuple(Line.model_fields)
_MOST_ALTERED = 3  # a line that differs in more fields is another line

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Altered(Generic[T]):
    """What is missing, the stray that stands in its stead, and the fields in which they differ."""

    missing: T
    stray: Stray
    fields: Sequence[str]


def differing_fields(one: Line, other: Line) -> list[str]:
    return [name for name in _FIELDS if getattr(one, name) != getattr(other, name)]


def altered_lines(missing: Iterable[tuple[T, Line]], strays: Iterable[Stray]) -> list[Altered[T]]:
    """Pairs each missing line with the stray of its invoice that is most like it, each stray once."""
    by_invoice: dict[str, list[Stray]] = defaultdict(list)
    for stray in strays:
        by_invoice[stray.line.InvoiceNo].append(stray)
    pairs = [
        Altered(name, stray, fields)
        for name, line in missing
        for stray in by_invoice[line.InvoiceNo]
        if len(fields := differing_fields(line, stray.line)) <= _MOST_ALTERED
    ]
    return _closest(pairs)


def _closest(pairs: list[Altered[T]]) -> list[Altered[T]]:
    chosen: list[Altered[T]] = []
    taken: set[object] = set()
    for pair in sorted(pairs, key=lambda each: len(each.fields)):
        if not taken & {pair.missing, pair.stray.line_id}:
            taken |= {pair.missing, pair.stray.line_id}
            chosen.append(pair)
    return chosen
