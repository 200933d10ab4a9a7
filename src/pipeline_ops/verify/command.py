"""`verify`."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from aws.clients import dynamodb_client, s3_client
from pipeline_ops.console import Watch, print_table, progress_bar, watched_on
from pipeline_ops.errors import OpsError
from pipeline_ops.expected import expected_rows
from pipeline_ops.options import (
    EVERYTHING,
    Bucket,
    CustomersTable,
    From,
    InvoicesTable,
    Settings,
    Stores,
    TimeRange,
    To,
    hour_range,
)
from pipeline_ops.verify.archive import ArchiveCheck
from pipeline_ops.verify.findings import Difference, Findings, Kind, Where
from pipeline_ops.verify.judgement import Judgement
from pipeline_ops.verify.ledger import Ledger
from pipeline_ops.verify.tables import TablesCheck

# Compares a CSV, the archive and the tables line by line: each of them must hold every line, once, and no other.


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


_DIFFERENCES = 1
_MOST_SHOWN = 50


def verify_command(  # noqa: PLR0913 - a command has its options as parameters
    *,
    csv: Annotated[Path | None, typer.Argument(help="The file that was sent; without it, the archive alone.")] = None,
    start: From = None,
    end: To = None,
    resent: Annotated[
        bool, typer.Option(help="Rows were sent again on purpose: in other batches they are fine.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    bucket: Bucket = None,
    invoices_table: InvoicesTable = None,
    customers_table: CustomersTable = None,
) -> None:
    """Compare a CSV (or hours of the archive) with the archive and the tables. Ends with 1 if they differ."""
    if csv and (start or end):
        raise OpsError("Give a CSV or a time range, not both: a CSV is compared with the whole archive.")
    settings = Settings(bucket=bucket, invoices_table=invoices_table, customers_table=customers_table)
    stores = Stores(
        s3=s3_client(),
        bucket=settings.named_bucket(),
        dynamodb=dynamodb_client(),
        invoices_table=settings.named_invoices_table(),
        customers_table=settings.named_customers_table(),
    )
    with progress_bar() as bar:
        report = verify(stores, Question(csv, hour_range(start, end), resent), watched_on(bar))
    typer.echo(json.dumps(as_json_object(report))) if as_json else _show(report)
    raise typer.Exit(0 if report.findings.is_clean else _DIFFERENCES)


def as_json_object(report: Report) -> dict[str, object]:
    figures = {name: value for name, value in vars(report).items() if name != "findings"}
    counts = [{"kind": kind, "where": where, "rows": rows} for (kind, where), rows in report.findings.counts.items()]
    differences = [asdict(each) for each in report.findings.kept]
    return {"clean": report.findings.is_clean, **figures, "counts": counts, "differences": differences}


def _show(report: Report) -> None:
    if report.csv_rows:
        typer.echo(f"CSV      {report.csv_rows:,} rows, {report.csv_refused:,} of them no invoice lines")
    typer.echo(f"Archive  {report.raw_objects:,} objects, {report.raw_rows:,} rows, {report.redriven:,} redriven")
    typer.echo(f"Tables   {report.lines:,} lines in {report.slices:,} slices, {report.pointers:,} pointers")
    if report.findings.is_clean:
        typer.echo("Clean: nothing is missing, doubled or different.")
    else:
        _show_findings(report.findings)


def _show_findings(findings: Findings) -> None:
    print_table(_table(findings.kept[:_MOST_SHOWN]))
    for (kind, where), rows in findings.counts.items():
        typer.echo(f"{rows:,} {kind} in {where}")
    if len(findings.kept) > _MOST_SHOWN:
        typer.echo(f"The first {_MOST_SHOWN} are shown; --json has more.")


def _table(differences: list[Difference]) -> Table:
    table = Table("What", "Where", "Line", "Batch", "Object, row or item")
    for each in differences:
        line = "" if each.line is None else f"{each.line:,}"
        cells = (each.kind, f"{each.where}: {each.message}", line, each.batch_id or "", _place(each))
        table.add_row(*map(escape, cells), end_section=True)
    return table


def _place(difference: Difference) -> str:
    row = "" if difference.index is None else f" row {difference.index}"
    item = " ".join(filter(None, (difference.customer_id, difference.invoice_no, difference.slice_id)))
    return "\n".join(filter(None, (f"{difference.object}{row}" if difference.object else "", item)))
