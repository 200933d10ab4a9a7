"""`failed list`, `failed show`, `failed redrive`: the dead letters under `failed/`."""

import sys
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from aws.bucket import TO_DYNAMODB, TO_S3, Bucket, DeadLetterDocument, ListedObject
from aws.clients import dynamodb_client, s3_client
from consumers.index import Index
from invoices.errors import Rejected, RowError
from pipeline_ops.console import print_table
from pipeline_ops.dead_letters import list_dead_letters, payload_rows, read_dead_letter
from pipeline_ops.errors import OpsError
from pipeline_ops.options import BucketName, CustomersTable, From, InvoicesTable, Settings, TimeRange, To, time_range
from pipeline_ops.redrive import Redrive, RedriveResult, parse_fix

Stage = Annotated[str | None, typer.Option(help=f"Only dead letters of this stage: {TO_S3} or {TO_DYNAMODB}.")]
_STAGES = (TO_S3, TO_DYNAMODB)
_NOT_ALL_REDRIVEN = 1


def app() -> typer.Typer:
    commands = typer.Typer(no_args_is_help=True, help="Dead letters: records and rows that could not be stored.")
    commands.command("list")(list_command)
    commands.command("show")(show_command)
    commands.command("redrive")(redrive_command)
    return commands


def list_command(start: From = None, end: To = None, stage: Stage = None, bucket: BucketName = None) -> None:
    """List the dead letters that were written in this time."""
    store = _bucket(bucket)
    table = Table("Key", "Written (UTC)", "Rows", "Reason")
    for each in _choose(store, stage, time_range(start, end)):
        document = read_dead_letter(store, each.key)
        rows = len({error.index for error in document.errors}) or "all"
        table.add_row(escape(each.key), f"{each.written_at:%Y-%m-%d %H:%M:%S}", str(rows), escape(document.reason))
    if table.row_count:
        print_table(table)
    else:
        typer.echo("There are no dead letters.")


def show_command(
    *,
    key: Annotated[str, typer.Argument(help="The key, as `failed list` prints it.")],
    raw: Annotated[bool, typer.Option("--raw", help="Write only the bytes of the payload to standard output.")] = False,
    bucket: BucketName = None,
) -> None:
    """Show one dead letter: its reason, the errors of its rows, and the rows."""
    document = read_dead_letter(_bucket(bucket), key)
    if raw:
        sys.stdout.buffer.write(document.payload)
        return
    typer.echo(f"stage            {document.stage}\nbatch id         {document.batch_id}")
    typer.echo(f"sequence number  {document.sequence_number}\nreason           {document.reason}")
    for line in [*_error_lines(document.errors), *_row_lines(document)]:
        typer.echo(line)


def redrive_command(  # noqa: PLR0913 - a command has its options as parameters
    *,
    keys: Annotated[list[str] | None, typer.Argument(help="The keys, as `failed list` prints them.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All dead letters of the given stage and time.")] = False,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A new value for this field.")
    ] = None,
    rows: Annotated[
        list[int] | None, typer.Option("--row", help="Only the row with this index; may be repeated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be redriven; write nothing.")] = False,
    start: From = None,
    end: To = None,
    stage: Stage = None,
    bucket: BucketName = None,
    invoices_table: InvoicesTable = None,
    customers_table: CustomersTable = None,
) -> None:
    """Store dead letters, with new values if you give them. A second redrive of the same key changes nothing."""
    if bool(keys) == all_:
        raise OpsError("Give keys, or --all.")
    if keys and (start or end or stage):
        raise OpsError("--from, --to and --stage work only with --all.")
    settings = Settings(bucket=bucket, invoices_table=invoices_table, customers_table=customers_table)
    store, fix = _bucket(bucket), parse_fix(assignments or [], rows or [])
    index = Index(dynamodb_client(), settings.required_invoices_table(), settings.required_customers_table())
    chosen = keys or [each.key for each in _choose(store, stage, time_range(start, end))]
    results = []
    for key in chosen:
        results.append(Redrive(store, index).run(key, fix, dry_run=dry_run))
        _show_result(results[-1], dry_run=dry_run)
    raise typer.Exit(_NOT_ALL_REDRIVEN if any(each.rejected or each.errors for each in results) else 0)


def _bucket(name: str | None) -> Bucket:
    return Bucket(s3_client(), Settings(bucket=name).required_bucket())


def _choose(bucket: Bucket, stage: str | None, span: TimeRange) -> Iterator[ListedObject]:
    if stage and stage not in _STAGES:
        raise OpsError(f"--stage must be one of: {', '.join(_STAGES)}.")
    return (each for each in list_dead_letters(bucket, stage) if span.contains(each.written_at))


def _show_result(result: RedriveResult, *, dry_run: bool) -> None:
    typer.echo(f"{result.key}: {_sentence(result, dry_run=dry_run)}")
    for line in _error_lines(result.errors):
        typer.echo(line)


def _sentence(result: RedriveResult, *, dry_run: bool) -> str:
    if result.rejected:
        return f"not redriven, {result.rejected}"
    if result.was_done_before:
        return "was redriven before, nothing changes"
    what = f"{result.rows:,} rows" if result.rows else "the record"
    return f"{what} would be redriven" if dry_run else f"{what} redriven"


def _error_lines(errors: tuple[RowError, ...]) -> list[str]:
    return [f"  row {error.index}: {error.field or 'the row'} {error.message}" for error in errors]


def _row_lines(document: DeadLetterDocument) -> list[str]:
    try:
        rows = payload_rows(document)
    except Rejected as error:
        return [f"payload          {len(document.payload):,} bytes that cannot be read: {error}"]
    return [f"row {row.index}: {row.text.decode(errors='replace')}" for row in rows]
