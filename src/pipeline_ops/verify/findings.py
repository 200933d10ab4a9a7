"""What `verify` reports."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    MISSING = "missing"
    DOUBLED = "doubled"
    CHANGED = "changed"
    UNEXPECTED = "unexpected"
    MISNAMED = "misnamed"
    UNREADABLE = "unreadable"


class Where(StrEnum):
    ARCHIVE = "archive"
    INVOICES = "invoices"
    CUSTOMERS = "customers"
    FAILED = "failed"
    LAKE = "lake"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. Of a row's values it shows only the invoice number; otherwise names of fields, and positions."""

    kind: Kind
    where: Where
    message: str
    line: int | None = None
    """The line of the CSV, from 1; the first one if the finding is about several rows."""
    rows: int = 1
    batch_id: str | None = None
    object: str | None = None
    index: int | None = None
    """The position of the row in its record, from 0."""
    invoice_no: str | None = None
    slice_id: str | None = None
    customer_id: str | None = None


class Findings:
    """Counts every finding but keeps only the first of each kind and place: a lost table has millions of lines."""

    def __init__(self, most_kept: int = 1000) -> None:
        self._most_kept = most_kept
        self._kept: Counter[tuple[Kind, Where]] = Counter()
        self.counts: Counter[tuple[Kind, Where]] = Counter()
        self.kept: list[Finding] = []

    @property
    def is_clean(self) -> bool:
        return not self.counts

    def add(self, finding: Finding) -> None:
        group = (finding.kind, finding.where)
        self.counts[group] += finding.rows
        if self._kept[group] < self._most_kept:
            self._kept[group] += 1
            self.kept.append(finding)
