"""`failed list`, `failed show`, `failed redrive`: dead letters, and the batches that Lambda discarded."""

import sys
import time
from collections.abc import Iterator
from itertools import chain
from typing import Annotated

import typer

from aws.bucket import DISCARDED, TO_DYNAMODB, TO_S3, Bucket, DeadLetterDocument, ListedObject
from aws.clients import dynamodb_client, s3_client
from aws.receipts import ReceiptWriter
from consumers.index import Index
from invoices.errors import Rejected
from pipeline_ops.console import error_lines, plural, printable
from pipeline_ops.dead_letters import (
    DiscardedBatch,
    is_discarded,
    list_dead_letters,
    payload_rows,
    read_dead_letter,
    read_discarded,
)
from pipeline_ops.errors import OpsError
from pipeline_ops.options import (
    Assignments,
    BatchesTable,
    BucketName,
    CustomersTable,
    From,
    InvoicesTable,
    OnlyRows,
    ReceiptDays,
    Settings,
    TimeRange,
    To,
    required,
    time_range,
)
from pipeline_ops.redrive import Redrive, RedriveResult, parse_fix

Stage = Annotated[
    str | None, typer.Option(help=f"Only dead letters of this stage: {TO_S3} or {TO_DYNAMODB}.", show_default="both")
]
_STAGES = (TO_S3, TO_DYNAMODB)
_NOT_ALL_REDRIVEN = 1


def app() -> typer.Typer:
    commands = typer.Typer(
        no_args_is_help=True, help="Records and rows that could not be stored, and batches that Lambda discarded."
    )
    commands.command("list")(list_command)
    commands.command("show")(show_command)
    commands.command("redrive")(redrive_command)
    return commands


def list_command(start: From = None, end: To = None, stage: Stage = None, bucket: BucketName = None) -> None:
    """List what was written in this time: the dead letters, and the batches that Lambda discarded."""
    store = _bucket(bucket)
    chosen = list(_choose(store, stage, time_range(start, end)))
    for each in chosen:
        typer.echo(f"{printable(each.key)}\n  {each.written_at:%Y-%m-%d %H:%M:%S} UTC  {_describe(store, each.key)}")
    if not chosen:
        typer.echo("Nothing failed: there are no dead letters and no discarded batches.")


def show_command(
    *,
    key: Annotated[str, typer.Argument(help="The key, as `failed list` prints it.")],
    raw: Annotated[bool, typer.Option("--raw", help="Write only the bytes of the payload to standard output.")] = False,
    bucket: BucketName = None,
) -> None:
    """Show one of them: why it failed, and what is in it."""
    store = _bucket(bucket)
    if is_discarded(key):
        batch = read_discarded(store, key)
        payload, lines = batch.payload.encode(), _discarded_lines(batch)
    else:
        document = read_dead_letter(store, key)
        payload, lines = document.payload, _dead_letter_lines(document)
    if raw:
        sys.stdout.buffer.write(payload)
    else:
        typer.echo("\n".join(map(printable, lines)))


def redrive_command(  # noqa: PLR0913 - a command has its options as parameters
    *,
    keys: Annotated[list[str] | None, typer.Argument(help="The keys, as `failed list` prints them.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All of the given stage and time.")] = False,
    assignments: Assignments = None,
    rows: OnlyRows = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be redriven; write nothing.")] = False,
    start: From = None,
    end: To = None,
    stage: Stage = None,
    bucket: BucketName = None,
    invoices_table: InvoicesTable = None,
    customers_table: CustomersTable = None,
    batches_table: BatchesTable = None,
    receipt_retention_days: ReceiptDays = 30,
) -> None:
    """Store them, with new values if you give them. A second redrive of the same key changes nothing.

    What cannot be stored is named and left; the others are stored. Exit code 1: something was left.
    """
    if bool(keys) == all_:
        raise OpsError("Give keys, or --all.")
    if keys and (start or end or stage):
        raise OpsError("--from, --to and --stage work only with --all.")
    settings = Settings(bucket=bucket, invoices_table=invoices_table, customers_table=customers_table)
    store, fix = _bucket(bucket), parse_fix(assignments or [], rows or [])
    dynamodb = dynamodb_client()
    index = Index(dynamodb, settings.required_invoices_table(), settings.required_customers_table())
    batches = required(batches_table, "batches-table", "BATCHES_TABLE")
    receipts = ReceiptWriter(dynamodb, batches, receipt_retention_days, time.time)
    chosen = keys or [each.key for each in _choose(store, stage, time_range(start, end))]
    if not chosen:
        typer.echo("There is nothing to redrive.")
    redrive, results = Redrive(store, index, receipts.put), []
    for key in chosen:
        try:
            results.append(redrive.run(key, fix, dry_run=dry_run))
        except OpsError as error:  # one that is unreadable does not stop the others
            if not all_:
                raise
            results.append(RedriveResult(key, rejected=str(error)))
        _show_result(results[-1], dry_run=dry_run)
    raise typer.Exit(_NOT_ALL_REDRIVEN if any(each.rejected or each.errors for each in results) else 0)


def _bucket(name: str | None) -> Bucket:
    return Bucket(s3_client(), Settings(bucket=name).required_bucket())


def _choose(bucket: Bucket, stage: str | None, span: TimeRange) -> Iterator[ListedObject]:
    """Without a stage also the discarded batches, which can be of either."""
    if stage and stage not in _STAGES:
        raise OpsError(f"--stage must be one of: {', '.join(_STAGES)}.")
    found = list_dead_letters(bucket, stage)
    discarded = bucket.objects(DISCARDED) if stage is None else ()
    return (each for each in chain(found, discarded) if span.contains(each.written_at))


def _describe(bucket: Bucket, key: str) -> str:
    """How much failed, and why; an object that is neither kind is named as such."""
    try:
        if is_discarded(key):
            batch = read_discarded(bucket, key)
            return f"{plural(len(batch.records), 'record')}: Lambda gave up ({printable(batch.condition)})"
        document = read_dead_letter(bucket, key)
    except OpsError as error:
        return printable(str(error))
    rows = len({error.index for error in document.errors})
    what = plural(rows, "row") if rows else "the whole record"
    return f"{what}: {printable(document.reason)}"


def _show_result(result: RedriveResult, *, dry_run: bool) -> None:
    typer.echo(printable(f"{result.key}: {_sentence(result, dry_run=dry_run)}"))
    for line in error_lines(result.errors):
        typer.echo(printable(line))


def _sentence(result: RedriveResult, *, dry_run: bool) -> str:
    if result.rejected:
        return f"not redriven, {result.rejected}"
    if result.was_done_before and result.rows:
        now = "would be stored" if dry_run else "stored"
        return f"was redriven before: {plural(result.rows, 'row')} {now} as decided then; --set and --row do not count"
    if result.was_done_before:
        return "was redriven before, nothing changes"
    records = plural(result.records, "record") if result.records else "the record"
    what = plural(result.rows, "row") if result.rows else records
    return f"{what} would be redriven" if dry_run else f"{what} redriven"


def _dead_letter_lines(document: DeadLetterDocument) -> list[str]:
    return [
        f"stage            {document.stage}",
        f"batch id         {document.batch_id}",
        f"sequence number  {document.sequence_number}",
        f"reason           {document.reason}",
        *error_lines(document.errors),
        *_row_lines(document),
    ]


def _discarded_lines(batch: DiscardedBatch) -> list[str]:
    return [
        f"function         {batch.function}",
        f"reason           Lambda gave up: {batch.condition}",
        *(f"record           {len(each.data):,} bytes, batch id {each.partition_key}" for each in batch.records),
    ]


def _row_lines(document: DeadLetterDocument) -> list[str]:
    try:
        rows = payload_rows(document)
    except (Rejected, OpsError) as error:
        return [f"payload          {len(document.payload):,} bytes that cannot be read: {error}"]
    return [f"row {row.index}: {row.text.decode(errors='replace')}" for row in rows]
