"""`verify`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from aws.clients import dynamodb_client, s3_client
from pipeline_ops.differences import Difference, Findings
from pipeline_ops.errors import OpsError
from pipeline_ops.progress import progress_bar, watched_on
from pipeline_ops.screen import print_table
from pipeline_ops.settings import Bucket, CustomersTable, InvoicesTable, Settings
from pipeline_ops.stores import Stores
from pipeline_ops.time_range import From, To, hour_range
from pipeline_ops.verify import Question, Report, verify

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
