"""Compares a CSV, the archive and the tables line by line: each of them must hold every line, once, and no other.

The archive is what the tables are built from: raw objects, and the rows that were redriven. In a whole archive a line
of the tables that is in none of them has no right to be there; in a part of it, it may come from another hour.
"""

from dataclasses import dataclass
from pathlib import Path

from pipeline_ops.archive_check import ArchiveCheck
from pipeline_ops.differences import Difference, Findings, Kind, Where
from pipeline_ops.expected import expected_rows
from pipeline_ops.judgement import Judgement
from pipeline_ops.ledger import Ledger
from pipeline_ops.progress import Watch
from pipeline_ops.stores import Stores
from pipeline_ops.tables_check import TablesCheck
from pipeline_ops.time_range import EVERYTHING, TimeRange


@dataclass(frozen=True)
class Question:
    """`csv` wants the whole archive. `resent` says that rows were sent again on purpose, in batches of other names."""

    csv: Path | None = None
    span: TimeRange = EVERYTHING
    resent: bool = False

    @property
    def sees_everything(self) -> bool:
        return self.csv is not None or self.span.is_everything


@dataclass(frozen=True)
class Report:
    csv_rows: int
    csv_refused: int
    raw_objects: int
    raw_rows: int
    raw_refused: int
    redriven: int
    slices: int
    pointers: int
    lines: int
    findings: Findings


def verify(stores: Stores, question: Question, watch: Watch) -> Report:
    ledger, findings = Ledger(), Findings()
    rows, refused = _read_csv(question.csv, ledger, watch)
    archive = ArchiveCheck(stores.s3, stores.bucket, ledger, findings, resent=question.resent)
    archive.run(question.span, watch)
    tables = TablesCheck(ledger, findings)
    tables.run(stores.dynamodb, stores.invoices_table, stores.customers_table, watch)
    _not_archived(ledger, findings)
    Judgement(stores, ledger, findings, archive.keys, tables).run(judge_strays=question.sees_everything)
    return Report(
        csv_rows=rows,
        csv_refused=refused,
        raw_objects=len(archive.keys),
        raw_rows=archive.rows,
        raw_refused=archive.refused,
        redriven=archive.redriven,
        slices=tables.slices,
        pointers=tables.pointers,
        lines=tables.lines,
        findings=findings,
    )


def _read_csv(path: Path | None, ledger: Ledger, watch: Watch) -> tuple[int, int]:
    rows = refused = 0
    for row in watch(expected_rows(path), "CSV, rows") if path else ():
        rows += 1
        if row.line is None:
            refused += 1
        else:
            ledger.expect(row.line_id, row.line, row.number)
    return rows, refused


def _not_archived(ledger: Ledger, findings: Findings) -> None:
    for entry in ledger:
        if not entry.is_archived:
            message = "a row of the CSV is in no raw object"
            findings.add(Difference(Kind.MISSING, Where.ARCHIVE, message, line=entry.number))
            if not entry.in_tables:
                message = "a row of the CSV is not in the tables"
                findings.add(Difference(Kind.MISSING, Where.INVOICES, message, line=entry.number))
