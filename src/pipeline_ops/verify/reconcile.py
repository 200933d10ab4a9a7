"""Reconciles the archived lines that the tables lack with the unexpected lines in the tables.

A line whose content changed in a table is both: its line id depends on its content, so the old id is missing and the
new one is unexpected. Such a pair becomes one finding.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from aws.bucket import batch_id_of
from invoices.line import Line, content
from pipeline_ops.options import Stores
from pipeline_ops.raw_objects import read_raw_object
from pipeline_ops.stored import invoice_lines
from pipeline_ops.verify.findings import Finding, Findings, Kind, Where
from pipeline_ops.verify.known_lines import KnownLine, KnownLines
from pipeline_ops.verify.tables import IF_NEW, TablesCheck, Unexpected

_MOST_CHANGED_FIELDS = 3  # a line that differs in more fields is another line
_MOST_READ_AGAIN = 1_000  # missing lines that are reported with row and invoice; the others only with their object

_UNEXPECTED_KINDS = frozenset({Kind.DOUBLED, Kind.UNEXPECTED})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Missing:
    """An archived line that the tables lack, and where it is archived."""

    known: KnownLine
    object: str
    index: int


@dataclass(frozen=True, slots=True)
class Changed(Generic[T]):
    """A missing line, the unexpected line that replaced it, and the names of the fields that differ."""

    missing: T
    unexpected: Unexpected
    fields: Sequence[str]


class Reconciler:
    """`keys[n]` is the raw object with the number n in `known_lines`."""

    def __init__(
        self, stores: Stores, known_lines: KnownLines, findings: Findings, keys: Sequence[str], tables: TablesCheck
    ) -> None:
        self._stores = stores
        self._known_lines = known_lines
        self._findings = findings
        self._keys = keys
        self._tables = tables

    def run(self, *, report_unexpected: bool) -> None:
        """`report_unexpected`: every raw object was read, so a line of the tables that is in none of them is wrong."""
        missing = [known for known in self._known_lines if known.is_archived and not known.is_stored]
        changed = self._report_missing_and_changed(missing)
        if report_unexpected:
            self._report_unexpected(changed, _UNEXPECTED_KINDS)

    def run_for_csv(self) -> None:
        """Judge the lines of the CSV alone: which are missing, changed, or stored under a second line id."""
        missing = [known for known in self._known_lines if known.csv_line and known.is_archived and not known.is_stored]
        self._report_unexpected(self._report_missing_and_changed(missing), frozenset({Kind.DOUBLED}))

    def _report_missing_and_changed(self, missing: Sequence[KnownLine]) -> set[bytes]:
        """The line ids in the tables of the changed lines."""
        read_again = dict(self._read_again(missing[:_MOST_READ_AGAIN]))
        changed = match_changed(read_again.items(), self._tables.unexpected)
        for pair in changed:
            message = f"the line in the table is different from the archived row: {', '.join(pair.fields)}"
            unexpected = pair.unexpected
            self._add(Kind.CHANGED, message, pair.missing, unexpected.line.InvoiceNo, unexpected.slice_id)
        self._report_missing(missing, read_again, {pair.missing.known.line_id for pair in changed})
        return {pair.unexpected.line_id for pair in changed}

    def _read_again(self, missing: Sequence[KnownLine]) -> Iterator[tuple[Missing, Line]]:
        """Read the lines from their objects a second time: to keep all lines would take ten times the memory."""
        by_object: dict[int, dict[bytes, KnownLine]] = defaultdict(dict)
        for known in missing:
            if known.object_number is not None:
                by_object[known.object_number][known.line_id] = known
        for number, lines in by_object.items():
            found = read_raw_object(self._stores.bucket, self._keys[number])
            for line_id, line, index in zip(found.line_ids(), found.rows.lines, found.rows.indexes, strict=True):
                if known_line := lines.pop(line_id, None):
                    yield Missing(known_line, found.key, index), line

    def _report_missing(
        self, missing: Sequence[KnownLine], read_again: dict[Missing, Line], changed: set[bytes]
    ) -> None:
        for each, line in read_again.items():
            if each.known.line_id not in changed:
                self._add(Kind.MISSING, "an archived row is not in the tables", each, line.InvoiceNo)
        reported = {each.known.line_id for each in read_again}
        for known in missing:
            if known.line_id not in reported:
                self._findings.add(self._missing_finding(known))

    def _missing_finding(self, known: KnownLine) -> Finding:
        if known.object_number is None:
            message = "a redriven row is not in the tables"
            return Finding(Kind.MISSING, Where.INVOICES, message, line=known.csv_line)
        key = self._keys[known.object_number]
        message = "an archived row is not in the tables"
        return Finding(
            Kind.MISSING, Where.INVOICES, message, line=known.csv_line, batch_id=batch_id_of(key), object=key
        )

    def _add(self, kind: Kind, message: str, missing: Missing, invoice_no: str, slice_id: str | None = None) -> None:
        self._findings.add(
            Finding(
                kind,
                Where.INVOICES,
                message,
                line=missing.known.csv_line,
                batch_id=batch_id_of(missing.object),
                object=missing.object,
                index=missing.index,
                invoice_no=invoice_no,
                slice_id=slice_id,
            )
        )

    def _report_unexpected(self, changed: set[bytes], kinds: Collection[Kind]) -> None:
        by_invoice: dict[str, list[Unexpected]] = defaultdict(list)
        for unexpected in self._tables.unexpected:
            if unexpected.line_id not in changed:
                by_invoice[unexpected.line.InvoiceNo].append(unexpected)
        for invoice_no, lines in by_invoice.items():
            self._report_unexpected_of(invoice_no, lines, kinds)
        if Kind.UNEXPECTED in kinds and (more := self._tables.unexpected_not_kept):
            message = f"more lines of the tables are in no raw object; {IF_NEW}"
            self._findings.add(Finding(Kind.UNEXPECTED, Where.INVOICES, message, rows=more))

    def _report_unexpected_of(self, invoice_no: str, lines: Sequence[Unexpected], kinds: Collection[Kind]) -> None:
        """A line with the content of a known line of the same invoice was stored twice, under two line ids."""
        stored = invoice_lines(self._stores.dynamodb, self._stores.invoices_table, invoice_no)
        known = {content(line) for line_id, line in stored.items() if line_id in self._known_lines}
        for each in lines:
            is_doubled = content(each.line) in known
            new = f"a line of the tables is in no raw object; {IF_NEW}"
            message = "stored again under another line id" if is_doubled else new
            kind = Kind.DOUBLED if is_doubled else Kind.UNEXPECTED
            if kind in kinds:
                self._findings.add(
                    Finding(kind, Where.INVOICES, message, invoice_no=invoice_no, slice_id=each.slice_id)
                )


def match_changed(missing: Iterable[tuple[T, Line]], unexpected: Iterable[Unexpected]) -> list[Changed[T]]:
    """Pairs each missing line with the most similar unexpected line of its invoice, and each of them only once."""
    by_invoice: dict[str, list[Unexpected]] = defaultdict(list)
    for each in unexpected:
        by_invoice[each.line.InvoiceNo].append(each)
    candidates = [
        Changed(name, each, fields)
        for name, line in missing
        for each in by_invoice[line.InvoiceNo]
        if len(fields := _differing_fields(line, each.line)) <= _MOST_CHANGED_FIELDS
    ]
    pairs: list[Changed[T]] = []
    used: set[object] = set()
    for pair in sorted(candidates, key=lambda candidate: len(candidate.fields)):
        if not used & {pair.missing, pair.unexpected.line_id}:
            used |= {pair.missing, pair.unexpected.line_id}
            pairs.append(pair)
    return pairs


def _differing_fields(one: Line, other: Line) -> list[str]:
    return [name for name in Line.model_fields if getattr(one, name) != getattr(other, name)]
