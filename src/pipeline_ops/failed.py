"""`failed list`, `failed show`, `failed redrive`."""

import sys
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from aws.clients import dynamodb_client, s3_client
from consumers.index import Index
from invoices.errors import Rejected, RowError
from pipeline_ops import bucket as documents
from pipeline_ops.bucket import Listed
from pipeline_ops.console import print_table
from pipeline_ops.errors import OpsError
from pipeline_ops.options import Bucket, CustomersTable, From, InvoicesTable, Settings, TimeRange, To, time_range
from pipeline_ops.redrive import Outcome, Redrive, fix_of, payload_rows

Stage = Annotated[str | None, typer.Option(help="Only of this stage: to_s3 or to_dynamodb.")]
_STAGES = ("to_s3", documents.TO_DYNAMODB)
_SOME_REFUSED = 1


def app() -> typer.Typer:
    commands = typer.Typer(no_args_is_help=True, help="Records and rows that were set aside.")
    commands.command("list")(list_command)
    commands.command("show")(show_command)
    commands.command("redrive")(redrive_command)
    return commands


def list_command(start: From = None, end: To = None, stage: Stage = None, bucket: Bucket = None) -> None:
    """What is set aside, by the time when it was."""
    s3, name = s3_client(), Settings(bucket=bucket).named_bucket()
    table = Table("Key", "Set aside (UTC)", "Rows", "Reason")
    for each in _chosen(name, stage, time_range(start, end)):
        document = documents.read_set_aside(s3, name, each.key)
        rows = len({error.index for error in document.errors}) or "all"
        table.add_row(escape(each.key), f"{each.written_at:%Y-%m-%d %H:%M:%S}", str(rows), escape(document.reason))
    if table.row_count:
        print_table(table)
    else:
        typer.echo("Nothing is set aside.")


def show_command(
    *,
    key: Annotated[str, typer.Argument(help="As `failed list` names it.")],
    raw: Annotated[
        bool, typer.Option("--raw", help="The payload's bytes to standard output, and nothing else.")
    ] = False,
    bucket: Bucket = None,
) -> None:
    """One of them: its reason, what is wrong with its rows, and the rows themselves."""
    document = documents.read_set_aside(s3_client(), Settings(bucket=bucket).named_bucket(), key)
    if raw:
        sys.stdout.buffer.write(document.payload)
        return
    typer.echo(f"stage            {document.stage}\nbatch id         {document.batch_id}")
    typer.echo(f"sequence number  {document.sequence_number}\nreason           {document.reason}")
    for line in [*_error_lines(document.errors), *_row_lines(document)]:
        typer.echo(line)


def redrive_command(  # noqa: PLR0913 - a command has its options as parameters
    *,
    keys: Annotated[list[str] | None, typer.Argument(help="As `failed list` names them.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All that are set aside, of the stage and time given.")] = False,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Another value for this field.")
    ] = None,
    rows: Annotated[
        list[int] | None, typer.Option("--row", help="Only the row of this index; may be repeated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    start: From = None,
    end: To = None,
    stage: Stage = None,
    bucket: Bucket = None,
    invoices_table: InvoicesTable = None,
    customers_table: CustomersTable = None,
) -> None:
    """Store what was set aside, with other values where they are given. Done twice, it changes nothing."""
    if bool(keys) == all_:
        raise OpsError("Name the keys, or give --all.")
    if keys and (start or end or stage):
        raise OpsError("--from, --to and --stage choose among --all.")
    settings = Settings(bucket=bucket, invoices_table=invoices_table, customers_table=customers_table)
    name, fix = settings.named_bucket(), fix_of(assignments or [], rows or [])
    index = Index(dynamodb_client(), settings.named_invoices_table(), settings.named_customers_table())
    redrive = Redrive(s3_client(), name, index)
    chosen = keys or [each.key for each in _chosen(name, stage, time_range(start, end))]
    told = [_told(redrive.do(key, fix, dry_run=dry_run), dry_run=dry_run) for key in chosen]
    raise typer.Exit(0 if all(told) else _SOME_REFUSED)


def _chosen(bucket: str, stage: str | None, span: TimeRange) -> Iterator[Listed]:
    if stage and stage not in _STAGES:
        raise OpsError(f"--stage is one of: {', '.join(_STAGES)}.")
    return (each for each in documents.set_aside_documents(s3_client(), bucket, stage) if span.holds(each.written_at))


def _told(outcome: Outcome, *, dry_run: bool) -> bool:
    """Whether all went well; said at once, because a later one may break off."""
    typer.echo(f"{outcome.key}: {_sentence(outcome, dry_run=dry_run)}")
    for line in _error_lines(outcome.errors):
        typer.echo(line)
    return not (outcome.refused or outcome.errors)


def _sentence(outcome: Outcome, *, dry_run: bool) -> str:
    if outcome.refused:
        return f"refused, {outcome.refused}"
    if outcome.done_before:
        return "was redriven before, nothing changes"
    what = f"{outcome.rows:,} rows" if outcome.rows else "the record"
    return f"{what} would be redriven" if dry_run else f"{what} redriven"


def _error_lines(errors: tuple[RowError, ...]) -> list[str]:
    return [f"  row {error.index}: {error.field or 'the row'} {error.message}" for error in errors]


def _row_lines(document: documents.SetAsideDocument) -> list[str]:
    try:
        rows = payload_rows(document)
    except Rejected as error:
        return [f"payload          {len(document.payload):,} bytes that cannot be read: {error}"]
    return [f"row {row.index}: {row.text.decode(errors='replace')}" for row in rows]
