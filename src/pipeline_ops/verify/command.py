"""`verify`: a CSV, the archive, the tables and the lake must contain the same lines, each of them once."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from aws.bucket import Bucket
from aws.clients import dynamodb_client, s3_client
from consumers.lake.table import LakeTable
from pipeline_ops.console import plural, print_table, progress_bar
from pipeline_ops.erase.command import NoLake, StreamName, erase_stores, lake_name, verify_erased
from pipeline_ops.errors import OpsError
from pipeline_ops.expected import NO_OPTIONS, FileOptions, expected_rows, parse_columns
from pipeline_ops.lake import LakeBucketName, lake_lines
from pipeline_ops.options import (
    EVERYTHING,
    BucketName,
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
from pipeline_ops.verify.findings import Finding, Findings, Kind, Where
from pipeline_ops.verify.known_lines import KnownLines
from pipeline_ops.verify.reconcile import Reconciler
from pipeline_ops.verify.tables import LakeCheck, TablesCheck, check_statements

_FINDINGS = 1
_MOST_SHOWN = 50


def verify_command(  # noqa: PLR0913 - a command has its options as parameters
    *,
    csv: Annotated[
        Path | None, typer.Argument(help="The file that was sent. Without it, only the stores are compared.")
    ] = None,
    dates: Annotated[
        Literal["mdy", "dmy"],
        typer.Option(help="The order of the CSV's dates with slashes: the one that it was sent with."),
    ] = "mdy",
    sheet: Annotated[
        str | None, typer.Option(help="The sheet of an .xlsx file that was sent.", show_default="the first")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="THEIRS=OURS",
            help="The file's name for one of our columns, as it was given to `send`.",
            show_default="known names",
        ),
    ] = None,
    start: From = None,
    end: To = None,
    erased: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Look for this customer in every store instead, after an erasure.",
            show_default="compare",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    bucket: BucketName = None,
    invoices_table: InvoicesTable = None,
    customers_table: CustomersTable = None,
    lake_bucket: LakeBucketName = None,
    no_lake: NoLake = False,
    stream: StreamName = None,
) -> None:
    """Compare a CSV, or some hours of the archive, with the archive, the tables and the lake.

    With a CSV, only its rows are judged. Rows that were sent again count once: that is a note, not a finding.

    Exit code 0: nothing is missing, doubled or different.
    1: something is.
    2: the command failed.
    """
    if erased is not None:
        if csv or start or end or as_json:
            raise OpsError("--erased looks through everything: give no CSV, no time range and no --json.")
        lake = None if no_lake else lake_name(lake_bucket)
        verify_erased(erased, erase_stores(bucket, invoices_table, customers_table, lake), stream)
    if csv and (start or end):
        raise OpsError("Give a CSV or a time range, not both: a CSV is compared with the whole archive.")
    settings = Settings(bucket=bucket, invoices_table=invoices_table, customers_table=customers_table)
    stores = Stores(
        bucket=Bucket(s3_client(), settings.required_bucket()),
        dynamodb=dynamodb_client(),
        invoices_table=settings.required_invoices_table(),
        customers_table=settings.required_customers_table(),
        lake=LakeTable(s3_client(), lake_bucket) if lake_bucket and not no_lake else None,
    )
    with progress_bar() as bar:
        options = FileOptions(dates == "dmy", sheet, parse_columns(columns or ()))
        report = verify(stores, Scope(csv, hour_range(start, end), options), bar)
    lake = _lake_text(report.lake_rows, is_named=stores.lake is not None, no_lake=no_lake)
    typer.echo(json.dumps(_as_json_object(report))) if as_json else _show(report, lake)
    raise typer.Exit(0 if report.findings.is_clean else _FINDINGS)


@dataclass(frozen=True)
class Scope:
    """What to verify. With `csv`, its rows alone, wherever in the archive they are."""

    csv: Path | None = None
    span: TimeRange = EVERYTHING
    options: FileOptions = NO_OPTIONS


@dataclass(frozen=True)
class Report:
    csv_rows: int
    csv_rejected: int
    raw_objects: int
    raw_rows: int
    raw_rejected: int
    repeated_rows: int
    redriven: int
    slices: int
    pointers: int
    lines: int
    withdrawn: int
    lake_rows: int | None
    """None where no lake was compared."""
    findings: Findings


def verify(stores: Stores, scope: Scope, bar: Progress) -> Report:
    """Reads the file first, then the archive, the tables and the lake, and then what was archived meanwhile.

    A stored line that is in no raw object is a finding only without a CSV, and if the whole archive was read.
    """
    known_lines, findings = KnownLines(), Findings()
    csv_rows, csv_rejected = _read_csv(scope.csv, known_lines, bar, scope.options) if scope.csv else (0, 0)
    archive = ArchiveCheck(stores.bucket, known_lines, findings, only_csv=scope.csv is not None)
    archive.run(scope.span, bar)
    tables = TablesCheck(known_lines, findings)
    tables.run(stores, bar)
    report_unexpected, only_csv = scope.span.is_everything, scope.csv is not None
    snapshot = stores.lake.snapshot() if stores.lake and stores.lake.exists() else None
    if report_unexpected and not only_csv:
        archive.read_late(bar)
    check_statements(
        known_lines,
        tables.statements,
        Where.INVOICES,
        findings,
        only_csv=only_csv,
        report_unexpected=report_unexpected,
    )
    _report_not_archived(known_lines, findings)
    reconciler = Reconciler(stores, known_lines, findings, archive.keys, tables)
    if scope.csv:
        reconciler.run_for_csv()
    else:
        reconciler.run(report_unexpected=report_unexpected)
    lake = LakeCheck(known_lines, findings)
    if stores.lake and snapshot:
        with TemporaryDirectory(prefix="lake-") as cache:
            lines = bar.track(lake_lines(stores.lake, Path(cache), snapshot), description="Lake, lines")
            lake.run(lines, only_csv=only_csv, report_unexpected=report_unexpected)
    return Report(
        csv_rows=csv_rows,
        csv_rejected=csv_rejected,
        raw_objects=len(archive.keys),
        raw_rows=archive.rows,
        raw_rejected=archive.rejected,
        repeated_rows=archive.repeated,
        redriven=archive.redriven,
        slices=tables.slices,
        pointers=tables.pointers,
        lines=tables.lines,
        withdrawn=_withdrawn(known_lines, only_csv=only_csv),
        lake_rows=lake.rows if snapshot else None,
        findings=findings,
    )


def _read_csv(path: Path, known_lines: KnownLines, bar: Progress, options: FileOptions) -> tuple[int, int]:
    """How many rows the file has, and how many of them are not invoice lines."""
    rows = rejected = 0
    for row in bar.track(expected_rows(path, options), description="CSV, rows"):
        rows += 1
        if row.line is None:
            rejected += 1
        else:
            known_lines.add_from_csv(row.line_id, row.line, row.number)
    return rows, rejected


def _withdrawn(known_lines: KnownLines, *, only_csv: bool) -> int:
    """How many of the lines that are compared were taken back, as the archive says."""
    statements = known_lines.statements
    return sum(
        statements.is_withdrawn(line_id) for line_id in statements if not only_csv or known_lines[line_id].csv_line
    )


def _report_not_archived(known_lines: KnownLines, findings: Findings) -> None:
    for known in known_lines:
        if not known.is_archived:
            message = "a row of the CSV is in no raw object"
            findings.add(Finding(Kind.MISSING, Where.ARCHIVE, message, line=known.csv_line))
            if not known.is_stored:
                message = "a row of the CSV is not in the tables"
                findings.add(Finding(Kind.MISSING, Where.INVOICES, message, line=known.csv_line))


def _as_json_object(report: Report) -> dict[str, object]:
    figures = {name: value for name, value in vars(report).items() if name != "findings"}
    counts = [{"kind": kind, "where": where, "rows": rows} for (kind, where), rows in report.findings.counts.items()]
    findings = [asdict(each) for each in report.findings.kept]
    return {"clean": report.findings.is_clean, **figures, "counts": counts, "findings": findings}


def _lake_text(rows: int | None, *, is_named: bool, no_lake: bool) -> str:
    """A lake that was not compared is never passed over in silence, unless the operator says that there is none."""
    if rows is not None:
        return plural(rows, "line")
    if is_named:
        return "not compared: its bucket has no table yet; run invoice-stream ops lake refresh"
    return f"not compared: {'--no-lake was given' if no_lake else 'give --lake-bucket or set LAKE_BUCKET'}"


def _show(report: Report, lake: str) -> None:
    if report.csv_rows:
        typer.echo(f"File     {plural(report.csv_rows, 'row')}, {report.csv_rejected:,} of them invalid: never stored")
    objects, rows, redriven = report.raw_objects, report.raw_rows, report.redriven
    typer.echo(f"Archive  {plural(objects, 'object')}, {plural(rows, 'row')}, {plural(redriven, 'redriven row')}")
    slices, pointers = plural(report.slices, "slice"), plural(report.pointers, "pointer")
    typer.echo(f"Tables   {plural(report.lines, 'line')} in {slices}, {pointers}")
    if report.repeated_rows:
        typer.echo(f"Note     {plural(report.repeated_rows, 'archived row')} repeated: each row counts once")
    if report.withdrawn:
        what = "row" if report.csv_rows else "line"
        typer.echo(f"Note     taken back, counts nowhere: {plural(report.withdrawn, what)}")
    typer.echo(f"Lake     {lake}")
    if report.findings.is_clean:
        typer.echo("Clean: nothing is missing, doubled or different.")
    else:
        _show_findings(report.findings)


def _show_findings(findings: Findings) -> None:
    print_table(_table(findings.kept[:_MOST_SHOWN]))
    for (kind, where), rows in findings.counts.items():
        typer.echo(f"{rows:,} {kind} in {where}")
    if len(findings.kept) > _MOST_SHOWN:
        typer.echo(f"The table shows the first {_MOST_SHOWN} findings; --json prints more.")


def _table(findings: Sequence[Finding]) -> Table:
    table = Table("Finding", "Where", "Line", "Batch", "Object and row, or item")
    for each in findings:
        line = "" if each.line is None else f"{each.line:,}"
        cells = (each.kind, f"{each.where}: {each.message}", line, each.batch_id or "", _location(each))
        table.add_row(*map(escape, cells), end_section=True)
    return table


def _location(finding: Finding) -> str:
    row = "" if finding.index is None else f" row {finding.index}"
    item = " ".join(filter(None, (finding.customer_id, finding.invoice_no, finding.slice_id)))
    return "\n".join(filter(None, (f"{finding.object}{row}" if finding.object else "", item)))
