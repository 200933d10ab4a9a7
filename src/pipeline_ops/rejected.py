"""`rejected list`, `rejected show`, `rejected resend`: rows that the API rejected, and how to send them mended.

A resend decides first: it writes the mended rows beside the rejected ones, into their object, on condition that nobody
else changed it. Only then all rows of the object that were ever decided go to the stream, as one batch that is named
after the object. At last the object notes that they were sent: the next resend does not send them again, unless there
are more. A row that was decided stays as it is. So a resend may be repeated or stop at any moment, and each row
counts once: rows with `Occurrence` by their content, the others by the name of the batch and their number in it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated

import typer

from aws.bucket import Bucket
from aws.clients import s3_client
from aws.erasures import ErasureList
from aws.rejections import RejectedRow, Rejection, RejectionStore, Summary
from invoices.batch import pack
from invoices.erasure import is_of_customer
from invoices.errors import RowError, TooLarge
from invoices.limits import MAX_RECORD_BYTES
from pipeline_ops.console import printable
from pipeline_ops.dead_letters import NumberedRow, validated_rows
from pipeline_ops.errors import OpsError
from pipeline_ops.options import (
    BucketName,
    From,
    PutRecord,
    Settings,
    StreamName,
    TimeRange,
    To,
    record_putter,
    time_range,
)
from pipeline_ops.redrive import Fix, parse_fix

Field = Annotated[
    str | None,
    typer.Option(metavar="FIELD", help="Only requests where this field is invalid, or `row`.", show_default="any"),
]
Reason = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Only requests with this text in a reason.", show_default="any")
]

_STATEMENT = "restates or takes back a line; its sender must send it, with a key that permits corrections"
_NOT_ALL_RESENT = 1
_READ_AT_ONCE = 200
_DAY = timedelta(days=1)


def app() -> typer.Typer:
    commands = typer.Typer(no_args_is_help=True, help="Rows that the API rejected, with their reasons.")
    commands.command("list")(list_command)
    commands.command("show")(show_command)
    commands.command("resend")(resend_command)
    return commands


def list_command(
    start: From = None, end: To = None, field: Field = None, reason: Reason = None, bucket: BucketName = None
) -> None:
    """List the requests that had rejected rows in this time, the latest day first, and what was resent since."""
    is_empty = True
    for rejection_id, summary in _choose(_store(bucket), time_range(start, end), field, reason):
        is_empty = False
        reasons = (f"    {each.rows:,} x {each.field} {each.message}" for each in summary.reasons)
        lines = (rejection_id, f"  {summary.rejected_at[:19].replace('T', ' ')} UTC  {_counts(summary)}", *reasons)
        typer.echo("\n".join(map(printable, lines)))
    if is_empty:
        typer.echo("No rejected rows are kept.")


def show_command(
    rejection_id: Annotated[str, typer.Argument(metavar="ID", help="The id, as `rejected list` prints it.")],
    bucket: BucketName = None,
) -> None:
    """Show the rejected rows of a request, with the reasons, and what was sent in their place."""
    rejection, _ = _read(_store(bucket), rejection_id)
    lines = [f"batch id     {rejection.summary.batch_id}", f"rejected at  {rejection.summary.rejected_at}"]
    lines.append(f"rows         {_counts(rejection.summary)}")
    for row in rejection.rows:
        lines += [*_error_lines(row.errors), f"    {row.text.decode(errors='replace')}"]
        if row.resent is not None:
            lines.append(f"    resent as {row.resent.decode(errors='replace')}")
    typer.echo("\n".join(map(printable, lines)))


def resend_command(  # noqa: PLR0913 - a command has its options as parameters
    *,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="The ids, as `rejected list` prints them.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All of the given time, field and reason.")] = False,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="A new value for this field.", show_default="as it is"),
    ] = None,
    rows: Annotated[
        list[int] | None,
        typer.Option("--row", help="Only the row with this index; may be repeated.", show_default="all"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be resent; write nothing.")] = False,
    start: From = None,
    end: To = None,
    field: Field = None,
    reason: Reason = None,
    bucket: BucketName = None,
    stream: StreamName = None,
) -> None:
    """Send rows, with new values if you give them, through the stream. A row that was resent before is not changed.

    Rows that are still invalid are named and left, and so are requests whose rows are not kept any more.
    Exit code 1: some were left.
    """
    if bool(ids) == all_:
        raise OpsError("Give ids, or --all.")
    if ids and (start or end or field or reason):
        raise OpsError("--from, --to, --field and --reason work only with --all.")
    store, fix = _store(bucket), parse_fix(assignments or [], rows or [])
    put_record = record_putter(stream)
    chosen = ids or [each for each, _ in _choose(store, time_range(start, end), field, reason)]
    if not chosen:
        typer.echo("There is nothing to resend.")
    is_all = True
    for rejection_id in chosen:
        try:
            result = resend(store, put_record, rejection_id, fix, dry_run=dry_run)
        except OpsError as error:  # one that is refused does not stop the others
            if not all_:
                raise
            typer.echo(printable(str(error)))
            is_all = False
            continue
        typer.echo("\n".join(map(printable, (_sentence(result, dry_run=dry_run), *_error_lines(result.errors)))))
        is_all = is_all and not result.errors
    raise typer.Exit(0 if is_all else _NOT_ALL_RESENT)


@dataclass(frozen=True, slots=True)
class ResendResult:
    """`rows` are resent now, `before` were resent before; `errors` are of chosen rows that were left."""

    id: str
    batch_id: str
    rows: int
    before: int
    errors: tuple[RowError, ...]


def resend(
    store: RejectionStore, put_record: PutRecord, rejection_id: str, fix: Fix, *, dry_run: bool = False
) -> ResendResult:
    """Raises OpsError where there is no such rejection, or where it names an erased customer.

    Raises Retryable: then run it again.
    """
    rejection, etag = _read(store, rejection_id)
    decided, errors = _decide(rejection, fix)
    after = rejection.with_rows(decided)
    _check_erased(store.bucket, after)
    batch_id = f"resent-{rejection_id.rpartition('.')[2]}"
    before = rejection.summary.resent
    rows = after.summary.resent - before
    if after.summary.resent and not after.summary.is_sent and not dry_run:
        record = _record(after)
        if rows and not store.replace(after, etag):
            raise OpsError(f"Somebody else is changing {rejection_id}. Run the command again; no row counts twice.")
        put_record(batch_id, record)
        _note_sent(store, after)
    return ResendResult(rejection_id, batch_id, rows, before, errors)


def _note_sent(store: RejectionStore, sent: Rejection) -> None:
    """Unless somebody decided about more rows meanwhile, which are not sent with these."""
    found = store.read(sent.id)
    if found and found[0].rows == sent.rows:
        rejection, etag = found
        store.replace(replace(rejection, summary=replace(rejection.summary, is_sent=True)), etag)


def _decide(rejection: Rejection, fix: Fix) -> tuple[list[RejectedRow], tuple[RowError, ...]]:
    """All rows of the rejection: those that are valid now have what is sent in their place. And what is still wrong."""
    numbered = (NumberedRow(row.index, row.text) for row in rejection.rows if row.resent is None)
    fixed = {row.index: fix.apply(row) for row in numbered if fix.chooses(row)}
    validated = validated_rows(list(fixed.values()))
    lines = dict(zip(validated.indexes, validated.lines, strict=True))
    valid = {index: fixed[index].text for index, line in lines.items() if line.is_ordinary}
    statements = (RowError(index, None, _STATEMENT) for index, line in lines.items() if not line.is_ordinary)
    rows = [replace(row, resent=valid.get(row.index, row.resent)) for row in rejection.rows]
    return rows, (*validated.errors, *statements)


def _check_erased(bucket: Bucket, rejection: Rejection) -> None:
    """An erasure may have overlooked a request that arrived while it ran. Raises OpsError, or Retryable."""
    rejected_at = datetime.fromisoformat(rejection.summary.rejected_at).timestamp()
    customers = ErasureList(bucket).read().covering(rejected_at)
    texts = (text for row in rejection.rows for text in row.texts)
    if customers and any(is_of_customer(text, customers) for text in texts):
        raise OpsError(
            f"{rejection.id} has rows of a customer who was erased after they arrived. Erase the customer again first."
        )


def _record(rejection: Rejection) -> bytes:
    """Every row that was ever decided: without Occurrence a row is known by its number among these."""
    record = pack(b"\n".join(row.resent for row in rejection.rows if row.resent is not None))
    if len(record) > MAX_RECORD_BYTES:
        raise TooLarge("the packed batch is too large", limit=MAX_RECORD_BYTES, actual=len(record))
    return record


def _store(bucket: str | None) -> RejectionStore:
    return RejectionStore(Bucket(s3_client(), Settings(bucket=bucket).required_bucket()))


def _read(store: RejectionStore, rejection_id: str) -> tuple[Rejection, str]:
    if (found := store.read(rejection_id)) is None:
        raise OpsError(f"There is no {rejection_id} among the rejected rows that are kept.")
    return found


def _choose(
    store: RejectionStore, span: TimeRange, field: str | None, reason: str | None
) -> Iterator[tuple[str, Summary]]:
    """The day in an id may be the one before or after `rejected_at`: it may come from the batch id."""
    first_day = f"{span.start - _DAY:%Y-%m-%d}" if span.start else ""
    last_day = f"{span.end + _DAY:%Y-%m-%d}" if span.end else "9999-12-31"
    listed = store.latest_first(first_day, last_day)
    while ids := list(islice(listed, _READ_AT_ONCE)):
        for each, summary in store.summaries(ids):
            if span.contains(datetime.fromisoformat(summary.rejected_at)) and summary.has_reason(field, reason):
                yield each, summary


def _counts(summary: Summary) -> str:
    unkept = summary.rejected - summary.kept
    left_out = f", {unkept:,} of them not kept" if unkept else ""
    resent = f"; {summary.resent:,} resent" if summary.resent else ""
    return f"{_rows(summary.rejected)} rejected{left_out}{resent}"


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def _sentence(result: ResendResult, *, dry_run: bool) -> str:
    before = f"; resent before: {_rows(result.before)}" if result.before else ""
    if not result.rows:
        return f"{result.id}: no further row {'would be' if dry_run else 'was'} resent{before}"
    verb = "would be resent" if dry_run else "resent"
    return f"{result.id}: {_rows(result.rows)} {verb} as batch {result.batch_id}{before}"


def _error_lines(errors: Sequence[RowError]) -> list[str]:
    return [f"  row {error.index}: {error.field or 'the row'} {error.message}" for error in errors]
