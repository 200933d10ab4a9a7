"""What a verification finds."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    MISSING = "missing"
    DOUBLED = "doubled"
    DIFFERS = "differs"
    UNEXPLAINED = "unexplained"
    MISNAMED = "misnamed"
    UNREADABLE = "unreadable"


class Where(StrEnum):
    ARCHIVE = "archive"
    INVOICES = "invoices"
    CUSTOMERS = "customers"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One finding. What it says of a row are names of fields and places, never a value but the invoice's number."""

    kind: Kind
    where: Where
    message: str
    line: int | None = None
    """The CSV's line, from 1; for several, the first."""
    rows: int = 1
    batch_id: str | None = None
    object: str | None = None
    index: int | None = None
    """The row's place in its record, from 0."""
    invoice_no: str | None = None
    slice_id: str | None = None
    customer_id: str | None = None


class Findings:
    """Counts all differences and keeps the first of each kind and place: a lost table is not a million sentences."""

    def __init__(self, most_kept: int = 1000) -> None:
        self._most_kept = most_kept
        self._kept: Counter[tuple[Kind, Where]] = Counter()
        self.counts: Counter[tuple[Kind, Where]] = Counter()
        self.kept: list[Difference] = []

    @property
    def is_clean(self) -> bool:
        return not self.counts

    def add(self, difference: Difference) -> None:
        name = (difference.kind, difference.where)
        self.counts[name] += difference.rows
        if self._kept[name] < self._most_kept:
            self._kept[name] += 1
            self.kept.append(difference)
