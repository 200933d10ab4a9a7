"""The consumers from Lambda's event to its answer, beside what boto3's documentation suggests."""

from collections.abc import Sequence
from pathlib import Path

from bench.ab_benchmark import compare
from bench.baselines import idiomatic
from bench.findings import Finding, at_least, figure
from bench.functions import call, kinesis_event, to_dynamodb, to_s3
from bench.loopback import aws_on_loopback
from bench.rows import PostedBatch, first_batches
from bench.wire import BUCKET, make_clients, table_resources

_TURN_SECONDS = 0.5  # one run of `batch_writer` takes as long


def consumer_findings(csv: Path) -> list[Finding]:
    """Records of some 500 and 5,000 rows; as many of each as one invocation can get."""
    small, large = first_batches(csv, 500, 12), first_batches(csv, 5_000, 6)
    with aws_on_loopback():
        return [_to_s3(large, 6), _to_s3(small, None), _to_dynamodb(large[0])]


def _to_s3(batches: Sequence[PostedBatch], goal: float | None) -> Finding:
    event = kinesis_event([(batch.key, batch.body) for batch in batches])
    theirs = idiomatic.GzipToS3(make_clients().s3, BUCKET).handler
    rows = sum(batch.rows for batch in batches)
    sides = {"ours": call(to_s3(), event), "gzip again": call(theirs, event)}
    rounds = compare(sides, rows, turn_seconds=_TURN_SECONDS / 5)
    ratio, note = rounds.speedup("ours", "gzip again"), f"{rounds.microseconds('ours'):.2f} us a row"
    what = f"to_s3, {len(batches)} records of {batches[0].rows:,} rows, against decode + gunzip + join + gzip"
    if goal is None:
        return figure(what, f"{ratio} x", f"{note}; one PUT a record is the floor")
    return at_least(what, ratio, goal, note)


def _to_dynamodb(batch: PostedBatch) -> Finding:
    event = kinesis_event([(batch.key, batch.body)])
    theirs = idiomatic.ToDynamodb(*table_resources()).handler
    sides = {"ours": call(to_dynamodb(), event), "batch_writer": call(theirs, event)}
    rounds = compare(sides, batch.rows, turn_seconds=_TURN_SECONDS)
    note = f"{rounds.microseconds('ours'):.1f} us a row; batch_writer {rounds.microseconds('batch_writer'):.0f}"
    what = f"to_dynamodb, {batch.rows:,} rows, against `batch_writer` a row"
    return at_least(what, rounds.speedup("ours", "batch_writer"), 12, note)
