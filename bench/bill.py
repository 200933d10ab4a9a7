"""Counts times prices: what a design costs, service by service."""

from collections.abc import Iterable
from dataclasses import dataclass

from bench.counts import Counts
from bench.designs import Design
from bench.entries import Entry
from bench.passing import passing
from bench.prices import Prices
from bench.standing import keeping, standing


@dataclass(frozen=True, slots=True)
class Bill:
    """`passing`: by the row. `keeping`: each month that the rows stay. `standing`: a month without any row, too."""

    passing: tuple[Entry, ...]
    keeping: tuple[Entry, ...]
    standing: tuple[Entry, ...]


def bill(counts: Counts, design: Design, prices: Prices, rows: int) -> Bill:
    """What `rows` rows cost a month, if every row costs as those counted did on average. Queries are not in it."""
    scale = rows / counts.rows
    return Bill(
        tuple(passing(counts, design, prices, scale)),
        tuple(keeping(counts, prices, scale)),
        tuple(standing(counts, design, prices)),
    )


def dollars(entries: Iterable[Entry]) -> float:
    return sum(entry.dollars for entry in entries)
