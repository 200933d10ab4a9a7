"""`withdraw --batch`: takes back every line of a batch, also lines that were sent without `Occurrence`.

A line without `Occurrence` is known by its batch, its content, and its number among the equal rows of the batch. So the
rows that take it back go to the stream under the same batch id, and equal rows go out together in one record: consumers
number them as before and find the same lines. The archive keeps such a record beside the first body of the batch. A
line with `Occurrence` is the same line in every batch; its row goes out in a batch of its own.

The archive and the documents of redrives tell which lines the batch has. They and the tables tell which still count.
Taking a line back twice changes nothing, so its rows need no instant that repeats. A command that was interrupted is
run again: it takes back what still counts by archive and tables.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer
from rich.progress import Progress

from aws.bucket import Bucket
from aws.clients import dynamodb_client, s3_client
from aws.erasures import ErasureList
from aws.stream import PutRecord
from invoices.batch import pack, parse_batch_id
from invoices.errors import Rejected, TooLarge
from invoices.invoice import totals_of
from invoices.limits import MAX_BODY_BYTES, MAX_RECORD_BYTES, MAX_ROWS
from invoices.line import CONTENT_FIELDS, Line, content, line_id, numbers_in_batch, statement_that_holds
from invoices.rows import Rows
from pipeline_ops.console import plural, progress_bar
from pipeline_ops.dead_letters import RedrivenDocument, redriven_of
from pipeline_ops.errors import OpsError
from pipeline_ops.options import BucketName, InvoicesTable, Settings, StreamName, record_putter
from pipeline_ops.raw_objects import raw_keys_of, read_raw_object
from pipeline_ops.stored import invoice_lines

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DECLINED: Final = 1


def withdraw_command(  # noqa: PLR0913 - a command has its options as parameters
    *,
    batch: Annotated[str, typer.Option(metavar="ID", help="The batch id: the Idempotency-Key, or the response's.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show lines and amount, and send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Go on without a question.")] = False,
    bucket: BucketName = None,
    invoices_table: InvoicesTable = None,
    stream: StreamName = None,
) -> None:
    """Take back all lines of a batch, also those that were sent without Occurrence. They count nowhere then.

    A line with Occurrence is taken back in whichever batch it was sent.
    Rows that were rejected and resent are a batch of their own.
    Exit code 1: you answered no.
    """
    settings = Settings(bucket=bucket, invoices_table=invoices_table)
    archive, table = Bucket(s3_client(), settings.required_bucket()), settings.required_invoices_table()
    put_record = None if dry_run else record_putter(stream)
    erasures = ErasureList(archive)
    erased = erasures.read()
    with progress_bar() as bar:
        withdrawal = find_withdrawal(archive, dynamodb_client(), table, parse_batch_id(batch), bar)
    typer.echo(_description(withdrawal))
    if put_record is None or not withdrawal.lines:
        return
    _ask(yes=yes)
    if erasures.read() != erased:
        raise OpsError("An erasure began or ended meanwhile, and the rows may be gone. Run the command again.")
    as_of = withdrawal.instant(time.time())
    records = send_withdrawal(withdrawal, as_of, put_record)
    typer.echo(
        f"Taken back as of {as_of}, in {plural(records, 'record')}. Answers show it within seconds, the totals and the "
        "lake after their next refresh."
    )


class NumberedLine(NamedTuple):
    """`number` is that of `line_id`: 0 for a line with Occurrence."""

    line: Line
    number: int


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The lines of a batch that count, each as the statement that holds of it, by line id.

    `taken_back` is the number of its other lines.
    """

    batch_id: str
    lines: Mapping[str, NumberedLine]
    taken_back: int

    def instant(self, now: float) -> str:
        """The `AsOf` of the withdrawal: now, in seconds since 1970, or later where a line was stated for later."""
        moment = datetime.fromtimestamp(now, UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        return max([f"{moment}Z", *(each.line.AsOf for each in self.lines.values() if each.line.AsOf)])

    def records(self, as_of: str) -> Iterator[tuple[str, bytes]]:
        """Batch id and data of each record that takes the lines back. Raises TooLarge."""
        most: dict[tuple[str, ...], NumberedLine] = {}
        others: list[list[bytes]] = []
        for each in self.lines.values():
            if each.line.Occurrence:
                others.append([_row(each.line, as_of)])
            else:
                texts = content(each.line)
                most[texts] = max(most.get(texts, each), each, key=lambda found: found.number)
        groups = [[_row(each.line, as_of)] * each.number for each in most.values()]
        yield from ((self.batch_id, data) for data in _packed(groups))
        other_batch = f"withdrawn-{blake2b(f'{self.batch_id} {as_of}'.encode(), digest_size=8).hexdigest()}"
        yield from ((other_batch, data) for data in _packed(others))


def find_withdrawal(
    archive: Bucket, dynamodb: "DynamoDBClient", invoices_table: str, batch_id: str, bar: Progress
) -> Withdrawal:
    """Raises OpsError where nothing of the batch is kept, and Retryable."""
    lines = lines_of_batch(batch_id, _bodies(archive, batch_id), redriven_of(archive, batch_id))
    if not lines:
        raise OpsError(
            f"The archive has no line of a batch {batch_id}. A batch is archived some seconds after it was sent."
        )
    stored: dict[str, Line] = {}
    invoices = sorted({each.line.InvoiceNo for each in lines.values()})
    for invoice_no in bar.track(invoices, description="Invoices"):
        found = invoice_lines(dynamodb, invoices_table, invoice_no)
        stored.update((name.hex(), line) for name, line in found.items())
    return withdrawal_of(batch_id, lines, stored)


def lines_of_batch(
    batch_id: str, bodies: Iterable[Rows], redriven: Iterable[RedrivenDocument]
) -> dict[str, NumberedLine]:
    """Every line that came under this batch id, by line id, as what holds of it. Several bodies are united."""
    numbered = [
        *((rows.lines, numbers_in_batch(rows.lines)) for rows in bodies),
        *((each.valid_rows().lines, [row.number for row in each.rows]) for each in redriven),
    ]
    found: dict[str, NumberedLine] = {}
    for lines, numbers in numbered:
        for line, number in zip(lines, numbers, strict=True):
            name = line_id(line, batch_id, number)
            held = statement_that_holds(found[name].line, line) if name in found else line
            found[name] = NumberedLine(held, number)
    return found


def withdrawal_of(batch_id: str, lines: Mapping[str, NumberedLine], stored: Mapping[str, Line]) -> Withdrawal:
    """`stored` are lines of the tables by their ids: another batch may have stated something about one."""
    held = {
        name: NumberedLine(statement_that_holds(each.line, stored.get(name, each.line)), each.number)
        for name, each in lines.items()
    }
    counting = {name: each for name, each in held.items() if not each.line.Withdrawn}
    return Withdrawal(batch_id, counting, len(lines) - len(counting))


def send_withdrawal(withdrawal: Withdrawal, as_of: str, put_record: PutRecord) -> int:
    """How many records were put. Raises Retryable: then run the command again."""
    records = list(withdrawal.records(as_of))
    for batch_id, data in records:
        put_record(batch_id, data)
    return len(records)


def _bodies(archive: Bucket, batch_id: str) -> Iterator[Rows]:
    """An unreadable object has no line: the whole record became a dead letter."""
    for key in raw_keys_of(archive, batch_id):
        with suppress(Rejected):
            yield read_raw_object(archive, key).rows


def _row(line: Line, as_of: str) -> bytes:
    """The row that takes the line back, in few bytes: what is missing of a line needs no field."""
    values: dict[str, object] = {name: text for name, text in zip(CONTENT_FIELDS, content(line), strict=True) if text}
    if line.Occurrence:
        values["Occurrence"] = line.Occurrence
    return json.dumps({**values, "AsOf": as_of, "Withdrawn": True}, ensure_ascii=False, separators=(",", ":")).encode()


def _packed(groups: Sequence[Sequence[bytes]]) -> Iterator[bytes]:
    """As few records as possible by halving. The rows of a group stay in one record. Raises TooLarge."""
    if not groups:
        return
    rows = [row for group in groups for row in group]
    body = b"\n".join(rows)
    fits = len(rows) <= MAX_ROWS and len(body) <= MAX_BODY_BYTES
    if fits and len(data := pack(body)) <= MAX_RECORD_BYTES:
        yield data
    elif len(groups) == 1:
        raise TooLarge("equal rows of one batch do not fit into a record", limit=MAX_BODY_BYTES, actual=len(body))
    else:
        half = len(groups) // 2
        yield from _packed(groups[:half])
        yield from _packed(groups[half:])


def _description(withdrawal: Withdrawal) -> str:
    lines = [each.line for each in withdrawal.lines.values()]
    invoices = plural(len({line.InvoiceNo for line in lines}), "invoice")
    sentences = [f"Batch {withdrawal.batch_id}: {plural(len(lines), 'line')} to take back"]
    if lines:
        sentences[0] += f", of {invoices}, amount {totals_of(lines).amount:,f}"
    if withdrawal.taken_back:
        sentences.append(f"Taken back before: {plural(withdrawal.taken_back, 'line')}")
    if numbered := sum(bool(line.Occurrence) for line in lines):
        sentences.append(f"With Occurrence, so taken back in every batch that has it: {plural(numbered, 'line')}")
    return "\n".join(f"{sentence}." for sentence in sentences)


def _ask(*, yes: bool) -> None:
    if not yes and not sys.stdin.isatty():
        raise OpsError("Nobody can be asked here. Give --yes to go on without a question, or --dry-run to look only.")
    if not yes and not typer.confirm("Go on?", err=True):
        raise typer.Exit(_DECLINED)
