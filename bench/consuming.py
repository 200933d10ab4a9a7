"""The consumers from Lambda's event to its answer, beside what boto3's documentation would have."""

from collections.abc import Callable, Sequence
from typing import Any

from aws.bucket import Bucket
from aws.lambda_events import KinesisEvent
from bench import ours
from bench.clients import BUCKET, CUSTOMERS, INVOICES, make_clients, tables
from bench.duel import duel
from bench.events import Context, kinesis_event
from bench.finding import Finding, at_least, figure
from bench.rivals import idiomatic_consumers, powertools
from bench.rivals.original import ToDynamodb
from bench.rows import Sent
from consumers.archive import Archive
from consumers.batch_loop import Record

_ROWS = 500
_TURN_SECONDS = 0.5  # of `batch_writer` this is one run


def consumer_findings(small: Sequence[Sent], large: Sequence[Sent]) -> list[Finding]:
    """Records of about 500 and 5,000 rows; as many of each as one invocation may get."""
    return [*_to_s3(large, 6), *_to_s3(small, None), *_to_dynamodb(large[0]), *_update_items(small[0])]


def _to_s3(batches: Sequence[Sent], goal: float | None) -> list[Finding]:
    clients = make_clients()
    event = _event(batches)
    archive = Archive(Bucket(clients.s3, BUCKET))
    sides = {
        "ours": _call(ours.to_s3(), event),
        "gzip again": _call(idiomatic_consumers.ToS3(clients.s3, BUCKET).handler, event),
        "powertools": _call(powertools.batch_handler(_adding(archive)), event),
    }
    rows = sum(batch.rows for batch in batches)
    rounds = duel(sides, rows, turn_seconds=_TURN_SECONDS / 5)
    ratio = rounds.faster("ours", "gzip again")
    what = f"to_s3, {len(batches)} records of {batches[0].rows:,} rows, against decode + gunzip + join + gzip"
    note = f"{rounds.microseconds('ours'):.2f} us a row"
    processor = figure("to_s3's loop, against powertools' batch processor", f"{rounds.faster('ours', 'powertools')} x")
    if goal is None:
        return [figure(what, f"{ratio} x", f"{note}; one PUT a record is the floor"), processor]
    return [at_least(what, ratio, goal, note)]


def _to_dynamodb(batch: Sent) -> list[Finding]:
    event = _event([batch])
    sides = {
        "ours": _call(ours.to_dynamodb(), event),
        "batch_writer": _call(idiomatic_consumers.ToDynamodb(*tables()).handler, event),
    }
    rounds = duel(sides, batch.rows, turn_seconds=_TURN_SECONDS)
    note = f"{rounds.microseconds('ours'):.1f} us a row; batch_writer {rounds.microseconds('batch_writer'):.0f}"
    what = f"to_dynamodb, {batch.rows:,} rows, against `batch_writer` a row"
    return [at_least(what, rounds.faster("ours", "batch_writer"), 12, note)]


def _update_items(batch: Sent) -> list[Finding]:
    clients = make_clients()
    rows = batch.objects()[:_ROWS]
    theirs = ToDynamodb(clients.dynamodb, INVOICES, CUSTOMERS)
    event = _event([batch])
    sides = {
        "ours": _call(ours.to_dynamodb(), event),
        "original": lambda: theirs.store_all(rows),
    }
    rounds = duel(sides, len(rows), rounds=3, turn_seconds=_TURN_SECONDS)
    what = f"to_dynamodb, {len(rows)} rows, against two UpdateItem a row"
    return [figure(what, f"{rounds.faster('ours', 'original')} x")]


def _event(batches: Sequence[Sent]) -> KinesisEvent:
    return kinesis_event([(batch.key, batch.body) for batch in batches])


def _call(handler: Callable[[Any, Any], object], event: KinesisEvent) -> Callable[[], None]:
    def run() -> None:
        answer = handler(event, Context())
        if answer and answer != {"batchItemFailures": []}:
            raise RuntimeError(f"records were not taken: {answer}")

    return run


def _adding(archive: Archive) -> Callable[[str, bytes], object]:
    return lambda key, data: archive.add(Record(key, "1", data))
