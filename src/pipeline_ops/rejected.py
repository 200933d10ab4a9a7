"""`rejected list`, `rejected show`, `rejected resend`: rows that the API rejected, and how to send them mended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated

import typer

from aws.bucket import Bucket
from aws.clients import s3_client
from aws.rejections import Rejection, RejectionStore, Summary
from aws.resend import ChangedMeanwhile, CustomerErased
from aws.resend import resend as send_decided
from aws.stream import PutRecord
from invoices.errors import RowError
from pipeline_ops.console import error_lines, printable
from pipeline_ops.dead_letters import NumberedRow, validated_rows
from pipeline_ops.errors import OpsError
from pipeline_ops.options import (
    Assignments,
    BucketName,
    From,
    OnlyRows,
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
    resent = "resent" if rejection.summary.is_sent else "to be resent, perhaps not arrived (repeat `rejected resend`),"
    for row in rejection.rows:
        lines += [*error_lines(row.errors), f"    {row.text.decode(errors='replace')}"]
        if row.resent is not None:
            lines.append(f"    {resent} as {row.resent.decode(errors='replace')}")
    typer.echo("\n".join(map(printable, lines)))


def resend_command(  # noqa: PLR0913 - a command has its options as parameters
    *,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="The ids, as `rejected list` prints them.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All of the given time, field and reason.")] = False,
    assignments: Assignments = None,
    rows: OnlyRows = None,
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
        typer.echo("\n".join(map(printable, (_sentence(result, dry_run=dry_run), *error_lines(result.errors)))))
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
    found = _read(store, rejection_id)
    mended, errors = _mend(found[0], fix)
    try:
        resent = send_decided(store, put_record, found, mended, dry_run=dry_run)
    except ChangedMeanwhile:
        raise OpsError(
            f"Somebody else is changing {rejection_id}. Run the command again; no row counts twice."
        ) from None
    except CustomerErased:
        raise OpsError(
            f"{rejection_id} has rows of a customer who was erased after they arrived. Erase the customer again first."
        ) from None
    return ResendResult(rejection_id, resent.batch_id, resent.rows, resent.before, errors)


def _mend(rejection: Rejection, fix: Fix) -> tuple[Mapping[int, bytes], tuple[RowError, ...]]:
    """The chosen rows that are valid now, by their index, and what is still wrong with the others."""
    numbered = (NumberedRow(row.index, row.text) for row in rejection.rows if row.resent is None)
    fixed = {row.index: fix.apply(row) for row in numbered if fix.chooses(row)}
    validated = validated_rows(list(fixed.values()))
    lines = dict(zip(validated.indexes, validated.lines, strict=True))
    valid = {index: fixed[index].text for index, line in lines.items() if line.is_ordinary}
    statements = (RowError(index, None, _STATEMENT) for index, line in lines.items() if not line.is_ordinary)
    return valid, (*validated.errors, *statements)


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
