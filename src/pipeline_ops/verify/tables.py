"""The tables' part of a verification: which lines they hold, and whether every pointer leads to its slice and back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws.items import slice_key
from invoices.invoice import Slice
from invoices.line import Line
from pipeline_ops.console import Watch
from pipeline_ops.stored import Pointer, UnreadableItem, pointers_to, stored_pointers, stored_slices
from pipeline_ops.verify.findings import Difference, Findings, Kind, Where
from pipeline_ops.verify.ledger import Ledger

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MOST_STRAYS = 10_000


@dataclass(frozen=True, slots=True)
class Stray:
    """A stored line of which neither the archive nor the CSV knows."""

    line_id: bytes
    slice_id: str
    line: Line


class TablesCheck:
    """Marks in the ledger what the tables hold. Strays beyond the first 10,000 are counted only."""

    def __init__(self, ledger: Ledger, findings: Findings) -> None:
        self._ledger = ledger
        self._findings = findings
        self._pointers: set[Pointer] = set()
        self._stray_ids: set[bytes] = set()
        self.strays: list[Stray] = []
        self.slices = 0
        self.pointers = 0

    @property
    def further_strays(self) -> int:
        return len(self._stray_ids) - len(self.strays)

    @property
    def lines(self) -> int:
        """The tables' lines by line id."""
        return self._ledger.lines_in_tables + len(self._stray_ids)

    def run(self, dynamodb: "DynamoDBClient", invoices_table: str, customers_table: str, watch: Watch) -> None:
        for invoice_slice in watch(stored_slices(dynamodb, invoices_table), "Invoices, slices"):
            self.slices += 1
            if isinstance(invoice_slice, UnreadableItem):
                self._add_unreadable(invoice_slice)
            else:
                self._check_slice(invoice_slice)
        for pointer in watch(stored_pointers(dynamodb, customers_table), "Customers, pointers"):
            self._check_pointer(pointer)
        for pointer in sorted(self._pointers, key=str):
            self._add(Kind.MISSING, pointer, "a slice has no pointer from its customer")

    def _check_slice(self, invoice_slice: Slice) -> None:
        self._pointers.update(pointers_to(invoice_slice))
        for name, line in invoice_slice.lines.items():
            self._check_line(bytes.fromhex(name), line, invoice_slice.slice_id)

    def _add_unreadable(self, item: UnreadableItem) -> None:
        message = "the item is no slice; its lines are missing"
        self._findings.add(
            Difference(Kind.UNREADABLE, Where.INVOICES, message, invoice_no=item.invoice_no, slice_id=item.slice_id)
        )

    def _check_line(self, line_id: bytes, line: Line, slice_id: str) -> None:
        known = line_id in self._ledger
        if known and self._ledger.store(line_id, line):
            return
        if known:
            self._differs(line_id, line, slice_id)
        elif line_id not in self._stray_ids:
            self._stray_ids.add(line_id)
            if len(self.strays) < _MOST_STRAYS:
                self.strays.append(Stray(line_id, slice_id, line))

    def _differs(self, line_id: bytes, line: Line, slice_id: str) -> None:
        """A line known by its batch and place, whose values are others in the tables."""
        entry = self._ledger[line_id]
        self._findings.add(
            Difference(
                Kind.DIFFERS,
                Where.INVOICES,
                "the item's line says something else than the archived row",
                line=entry.number,
                invoice_no=line.InvoiceNo,
                slice_id=slice_id,
            )
        )

    def _check_pointer(self, pointer: Pointer) -> None:
        self.pointers += 1
        if pointer in self._pointers:
            self._pointers.remove(pointer)
        else:
            self._add(Kind.UNEXPLAINED, pointer, "a pointer leads to no slice of its customer")

    def _add(self, kind: Kind, pointer: Pointer, message: str) -> None:
        key = slice_key(pointer.slice_name)
        self._findings.add(
            Difference(
                kind,
                Where.CUSTOMERS,
                message,
                invoice_no=key["InvoiceNo"]["S"],
                slice_id=key["SliceId"]["S"],
                customer_id=pointer.customer_id,
            )
        )
