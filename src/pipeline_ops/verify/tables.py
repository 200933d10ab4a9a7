"""Verifies the tables and the lake: which lines they contain, and whether slices and pointers belong together."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rich.progress import Progress

from aws.items import slice_key
from invoices.invoice import Slice
from invoices.line import Line
from pipeline_ops.options import Stores
from pipeline_ops.stored import Pointer, UnreadableItem, has_slice, pointers_to, stored_pointers, stored_slices
from pipeline_ops.verify.findings import Finding, Findings, Kind, Where
from pipeline_ops.verify.known_lines import KnownLines, Statements

IF_NEW: Final = "if it arrived in the last minute, run verify again"
"""Of a stack that is in use: to_dynamodb may be ahead of to_s3."""

_MOST_UNEXPECTED = 10_000


@dataclass(frozen=True, slots=True)
class Unexpected:
    """A line of the tables that neither the archive nor the CSV contains."""

    line_id: bytes
    slice_id: str
    line: Line


class TablesCheck:
    """Marks the known lines that the tables contain, and keeps the first 10,000 unexpected lines."""

    def __init__(self, known_lines: KnownLines, findings: Findings) -> None:
        self._known_lines = known_lines
        self._findings = findings
        self._missing_pointers: set[Pointer] = set()
        self._unexpected_ids: set[bytes] = set()
        self._unexpected: list[Unexpected] = []
        self.statements = Statements()
        self.slices = 0
        self.pointers = 0

    @property
    def unexpected(self) -> list[Unexpected]:
        return [each for each in self._unexpected if not self._known_lines.is_late(each.line_id)]

    @property
    def unexpected_not_kept(self) -> int:
        return sum(not self._known_lines.is_late(each) for each in self._unexpected_ids) - len(self.unexpected)

    @property
    def lines(self) -> int:
        """How many lines hold by the tables, each line id counted once."""
        withdrawn = sum(map(self.statements.is_withdrawn, self.statements))
        return self._known_lines.stored_count + len(self._unexpected_ids) - withdrawn

    def run(self, stores: Stores, bar: Progress) -> None:
        slices = stored_slices(stores.dynamodb, stores.invoices_table)
        for invoice_slice in bar.track(slices, description="Invoices, slices"):
            self.slices += 1
            if isinstance(invoice_slice, UnreadableItem):
                self._add_unreadable(invoice_slice)
            else:
                self._check_slice(invoice_slice)
        pointers = stored_pointers(stores.dynamodb, stores.customers_table)
        strays = [each for each in bar.track(pointers, description="Customers, pointers") if self._is_stray(each)]
        for pointer in strays:
            if not has_slice(stores.dynamodb, stores.invoices_table, pointer):  # it may have come after the scan
                self._add_pointer(Kind.UNEXPECTED, pointer, "a pointer leads to no slice of its customer")
        for pointer in sorted(self._missing_pointers, key=str):
            self._add_pointer(Kind.MISSING, pointer, "a slice has no pointer from its customer")

    def _check_slice(self, invoice_slice: Slice) -> None:
        self._missing_pointers.update(pointers_to(invoice_slice))
        for line_id, line in invoice_slice.lines.items():
            self._check_line(bytes.fromhex(line_id), line, invoice_slice.slice_id)

    def _check_line(self, line_id: bytes, line: Line, slice_id: str) -> None:
        self.statements.add(line_id, line)
        if line_id in self._known_lines:
            if not self._known_lines.mark_stored(line_id, line):
                self._add_changed(line_id, line, slice_id)
        elif line_id not in self._unexpected_ids:
            self._unexpected_ids.add(line_id)
            if len(self._unexpected) < _MOST_UNEXPECTED:
                self._unexpected.append(Unexpected(line_id, slice_id, line))

    def _is_stray(self, pointer: Pointer) -> bool:
        """Whether no slice that was read has this pointer."""
        self.pointers += 1
        is_expected = pointer in self._missing_pointers
        self._missing_pointers.discard(pointer)
        return not is_expected

    def _add_unreadable(self, item: UnreadableItem) -> None:
        message = "the item is not a slice, so its lines are missing"
        self._findings.add(
            Finding(Kind.UNREADABLE, Where.INVOICES, message, invoice_no=item.invoice_no, slice_id=item.slice_id)
        )

    def _add_changed(self, line_id: bytes, line: Line, slice_id: str) -> None:
        """Only a line without Occurrence: its id does not depend on its content."""
        self._findings.add(
            Finding(
                Kind.CHANGED,
                Where.INVOICES,
                "the line in the table is different from the archived row",
                line=self._known_lines[line_id].csv_line,
                invoice_no=line.InvoiceNo,
                slice_id=slice_id,
            )
        )

    def _add_pointer(self, kind: Kind, pointer: Pointer, message: str) -> None:
        key = slice_key(pointer.slice_name)
        self._findings.add(
            Finding(
                kind,
                Where.CUSTOMERS,
                message,
                invoice_no=key["InvoiceNo"]["S"],
                slice_id=key["SliceId"]["S"],
                customer_id=pointer.customer_id,
            )
        )


def check_statements(  # noqa: PLR0913 - what is compared, and which of it is judged
    known_lines: KnownLines,
    found: Statements,
    where: Where,
    findings: Findings,
    *,
    only_csv: bool,
    report_unexpected: bool,
) -> None:
    """In the tables or in the lake, `found`, the same statement must hold of each line as in the archive.

    With `only_csv` the rows of the CSV are judged and no others. `report_unexpected`: every raw object was read, so a
    statement that is in none of them is wrong.
    """
    for line_id in dict.fromkeys((*known_lines.statements, *found)):
        if line_id not in known_lines or (only_csv and known_lines[line_id].csv_line is None):
            continue
        archived, there = known_lines.statements[line_id], found[line_id]
        csv_line = known_lines[line_id].csv_line
        if there < archived:
            message = "a row that takes the line back, or states it again, has no effect here"
            findings.add(Finding(Kind.MISSING, where, message, line=csv_line))
        elif there > max(archived, known_lines.late_statements[line_id]) and report_unexpected:
            message = f"the line is taken back or stated again here, and no raw object says so; {IF_NEW}"
            findings.add(Finding(Kind.UNEXPECTED, where, message, line=csv_line))


class LakeCheck:
    """Compares the lake with the known lines, each by its id. A line that is there twice is a finding."""

    def __init__(self, known_lines: KnownLines, findings: Findings) -> None:
        self._known_lines = known_lines
        self._findings = findings
        self._seen: set[bytes] = set()
        self._statements = Statements()
        self.rows = 0

    def run(self, lines: Iterable[tuple[bytes, Line]], *, only_csv: bool, report_unexpected: bool) -> None:
        """With `only_csv` the rows of the CSV are judged and no others."""
        for line_id, line in lines:
            self.rows += not line.Withdrawn
            self._statements.add(line_id, line)
            if line_id in self._seen:
                self._add(Kind.DOUBLED, "the line is in the lake twice", line_id, line.InvoiceNo)
            self._seen.add(line_id)
            if line_id not in self._known_lines:
                if report_unexpected and not only_csv and not self._known_lines.is_late(line_id):
                    message = f"a line of the lake is in no raw object; {IF_NEW}"
                    self._add(Kind.UNEXPECTED, message, line_id, line.InvoiceNo)
            elif not self._known_lines.has_content(line_id, line):
                message = "the line in the lake is different from the archived row"
                self._add(Kind.CHANGED, message, line_id, line.InvoiceNo)
        for known in self._known_lines:
            is_judged = known.csv_line is not None or not only_csv
            if is_judged and known.is_archived and known.line_id not in self._seen:
                message = "an archived row is not in the lake; if it is new, run invoice-stream ops lake refresh"
                self._add(Kind.MISSING, message, known.line_id)
        check_statements(
            self._known_lines,
            self._statements,
            Where.LAKE,
            self._findings,
            only_csv=only_csv,
            report_unexpected=report_unexpected,
        )

    def _add(self, kind: Kind, message: str, line_id: bytes, invoice_no: str | None = None) -> None:
        csv_line = self._known_lines[line_id].csv_line if line_id in self._known_lines else None
        self._findings.add(Finding(kind, Where.LAKE, message, line=csv_line, invoice_no=invoice_no))
