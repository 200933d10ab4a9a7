"""The consumers from Lambda's event to its answer, beside what boto3's documentation suggests."""

from collections.abc import Sequence
from pathlib import Path

from bench.ab_benchmark import compare
from bench.baselines import idiomatic
from bench.designs import TO_DYNAMODB, TO_S3
from bench.findings import Finding, at_least
from bench.functions import call, kinesis_event, start
from bench.loopback import aws_on_loopback
from bench.rows import PostedBatch, first_batches
from bench.wire import BUCKET, make_clients, table_resources

_TURN_SECONDS = 0.5  # one run of `batch_writer` takes as long


def consumer_findings(csv: Path) -> list[Finding]:
    """Records of some 5,000 rows; as many as one invocation can get."""
    batches = first_batches(csv, 5_000, 6)
    with aws_on_loopback():
        return [_to_s3(batches), _to_dynamodb(batches[0])]


def _to_s3(batches: Sequence[PostedBatch]) -> Finding:
    event = kinesis_event([(batch.key, batch.body) for batch in batches])
    theirs = idiomatic.GzipToS3(make_clients().s3, BUCKET).handler
    sides = {"ours": call(start(TO_S3), event), "gzip again": call(theirs, event)}
    rounds = compare(sides, sum(batch.rows for batch in batches), turn_seconds=_TURN_SECONDS / 5)
    what = f"to_s3, {len(batches)} records of {batches[0].rows:,} rows, against decode + gunzip + join + gzip"
    return at_least(what, rounds.speedup("ours", "gzip again"), 6, f"{rounds.microseconds('ours'):.2f} us a row")


def _to_dynamodb(batch: PostedBatch) -> Finding:
    event = kinesis_event([(batch.key, batch.body)])
    theirs = idiomatic.ToDynamodb(*table_resources()).handler
    sides = {"ours": call(start(TO_DYNAMODB), event), "batch_writer": call(theirs, event)}
    rounds = compare(sides, batch.rows, turn_seconds=_TURN_SECONDS)
    note = f"{rounds.microseconds('ours'):.1f} us a row; batch_writer {rounds.microseconds('batch_writer'):.0f}"
    what = f"to_dynamodb, {batch.rows:,} rows, against `batch_writer` a row"
    return at_least(what, rounds.speedup("ours", "batch_writer"), 12, note)
