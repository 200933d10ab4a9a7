"""The end of a verification: archived lines that the tables lack, and stored lines that nobody knows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from consumers.archive import batch_id_of
from invoices.line import Line, content
from pipeline_ops.bucket import read_raw_object
from pipeline_ops.options import Stores
from pipeline_ops.stored import invoice_lines
from pipeline_ops.verify.findings import Difference, Findings, Kind, Where
from pipeline_ops.verify.ledger import Entry, Ledger
from pipeline_ops.verify.tables import Stray, TablesCheck

# Brings together what is missing and what nobody expected: an altered line is both.

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


_MOST_NAMED = 1_000  # missing lines that are looked up to be named by place and invoice; the others are counted


@dataclass(frozen=True, slots=True)
class Lost:
    """A line that the tables lack, where it is archived."""

    entry: Entry
    object: str
    index: int


class Judgement:
    """`keys` are the raw objects in the order of the ledger's places."""

    def __init__(
        self, stores: Stores, ledger: Ledger, findings: Findings, keys: Sequence[str], tables: TablesCheck
    ) -> None:
        self._stores = stores
        self._ledger = ledger
        self._findings = findings
        self._keys = keys
        self._tables = tables

    def run(self, *, judge_strays: bool) -> None:
        lost = [entry for entry in self._ledger if entry.is_archived and not entry.in_tables]
        named = dict(self._looked_up(lost[:_MOST_NAMED]))
        altered = altered_lines(named.items(), self._tables.strays)
        for pair in altered:
            self._add_altered(pair)
        self._add_missing(lost, named, {pair.missing.entry.line_id for pair in altered})
        if judge_strays:
            self._add_strays({pair.stray.line_id for pair in altered})

    def _looked_up(self, lost: Sequence[Entry]) -> Iterator[tuple[Lost, Line]]:
        """Reads the objects again that hold them: keeping every line in memory would take ten times the room."""
        by_place: dict[int, dict[bytes, Entry]] = defaultdict(dict)
        for entry in lost:
            if entry.place is not None:
                by_place[entry.place][entry.line_id] = entry
        for place, entries in by_place.items():
            yield from self._looked_up_in(self._keys[place], entries)

    def _looked_up_in(self, key: str, entries: dict[bytes, Entry]) -> Iterator[tuple[Lost, Line]]:
        found = read_raw_object(self._stores.s3, self._stores.bucket, key)
        for line_id, line, index in zip(found.line_ids(), found.rows.lines, found.rows.indexes, strict=True):
            if entry := entries.pop(line_id, None):
                yield Lost(entry, key, index), line

    def _add_altered(self, pair: Altered[Lost]) -> None:
        message = f"the item's line says something else than the archived row: {', '.join(pair.fields)}"
        self._add(Kind.DIFFERS, message, pair.missing, pair.stray.line.InvoiceNo, pair.stray.slice_id)

    def _add_missing(self, lost: Sequence[Entry], named: dict[Lost, Line], altered: set[bytes]) -> None:
        for where, line in named.items():
            if where.entry.line_id not in altered:
                self._add(Kind.MISSING, "an archived row is not in the tables", where, line.InvoiceNo)
        names = {where.entry.line_id for where in named}
        for entry in lost:
            if entry.line_id not in names:
                key = None if entry.place is None else self._keys[entry.place]
                self._add_unnamed(entry, key)

    def _add_unnamed(self, entry: Entry, key: str | None) -> None:
        message = "an archived row is not in the tables" if key else "a redriven row is not in the tables"
        batch_id = batch_id_of(key) if key else None
        missing = Difference(Kind.MISSING, Where.INVOICES, message, line=entry.number, batch_id=batch_id, object=key)
        self._findings.add(missing)

    def _add(self, kind: Kind, message: str, lost: Lost, invoice_no: str, slice_id: str | None = None) -> None:
        self._findings.add(
            Difference(
                kind,
                Where.INVOICES,
                message,
                line=lost.entry.number,
                batch_id=batch_id_of(lost.object),
                object=lost.object,
                index=lost.index,
                invoice_no=invoice_no,
                slice_id=slice_id,
            )
        )

    def _add_strays(self, altered: set[bytes]) -> None:
        by_invoice: dict[str, list[Stray]] = defaultdict(list)
        for stray in self._tables.strays:
            if stray.line_id not in altered:
                by_invoice[stray.line.InvoiceNo].append(stray)
        for invoice_no, strays in by_invoice.items():
            self._add_strays_of(invoice_no, strays)
        if further := self._tables.further_strays:
            message = "further lines of the tables are in no raw object"
            self._findings.add(Difference(Kind.UNEXPLAINED, Where.INVOICES, message, rows=further))

    def _add_strays_of(self, invoice_no: str, strays: Sequence[Stray]) -> None:
        stored = invoice_lines(self._stores.dynamodb, self._stores.invoices_table, invoice_no)
        known = {content(line) for line_id, line in stored.items() if line_id in self._ledger}
        for stray in strays:
            doubled = content(stray.line) in known
            message = "stored again under another line id" if doubled else "a line of the tables is in no raw object"
            kind = Kind.DOUBLED if doubled else Kind.UNEXPLAINED
            place = Difference(kind, Where.INVOICES, message, invoice_no=invoice_no, slice_id=stray.slice_id)
            self._findings.add(place)
