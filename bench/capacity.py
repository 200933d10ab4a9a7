"""Which quota binds first at a load, and what to set: arithmetic on what a counted run used per row."""

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.counts import Counts
from bench.flows import our_counts
from bench.rows import sent_batches
from local_runtime.sample.writing import write_sample

MB = 1_000_000
LOADS = (100, 10_000, 1_000_000)
"""Rows a second."""

BATCH_ROWS = 5000
_BATCH_ROWS_OF_100 = 100
"""At 100 rows a second nobody waits 50 s for a full batch: a request a second."""


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit of AWS: `limit` is what an account or a resource starts with, and where that is said."""

    name: str
    limit: float
    unit: str
    source: str


SHARD_BYTES = Quota("a shard's input", 1 * MB, "B/s", "Kinesis quotas: 1 MB/s and 1,000 records/s a shard")
SHARD_RECORDS = Quota("a shard's records", 1_000, "records/s", "the same")
ON_DEMAND_STREAM = Quota("an on-demand stream", 200 * MB, "B/s", "Kinesis: 200 MB/s in, after it has grown")
TABLE_UNITS = Quota("a table's write units", 40_000, "units/s", "DynamoDB: 40,000 a table on demand")
NEW_TABLE_UNITS = Quota("a new table's write units", 4_000, "units/s", "DynamoDB: on-demand start")
CONSUMER_TIME = Quota("`to_dynamodb`'s time in a shard", 1, "s/s", "one run at a time for each shard")
CONCURRENCY = Quota("concurrent executions", 1_000, "at once", "Lambda quotas: an account's default")
GATEWAY = Quota("gateway requests", 10_000, "requests/s", "API Gateway quotas: an account's default")

QUOTAS = (
    SHARD_BYTES,
    SHARD_RECORDS,
    ON_DEMAND_STREAM,
    NEW_TABLE_UNITS,
    TABLE_UNITS,
    GATEWAY,
    CONSUMER_TIME,
    CONCURRENCY,
)


@dataclass(frozen=True, slots=True)
class PerRow:
    """What one row uses on average, from a counted run. Seconds are of Lambda's time."""

    stream_bytes: float
    write_units: float
    api_seconds: float
    to_dynamodb_seconds: float
    counted_rows: int


@dataclass(frozen=True, slots=True)
class Demand:
    """What a load asks of a quota, how that is computed, and how much of the quota it takes."""

    quota: Quota
    arithmetic: str
    asked: float

    @property
    def share(self) -> float:
        return self.asked / self.quota.limit


# Lambda's time for a row: stated, rounded up from measurements, so that this page is the same on every machine.
API_MICROSECONDS = 10.0
TO_DYNAMODB_MICROSECONDS = 75.0


def per_row(counts: Counts) -> PerRow:
    return PerRow(
        stream_bytes=round(counts.stream_bytes / counts.rows),
        write_units=round(counts.write_units / counts.rows, 3),
        api_seconds=API_MICROSECONDS / 1e6,
        to_dynamodb_seconds=TO_DYNAMODB_MICROSECONDS / 1e6,
        counted_rows=counts.rows,
    )


def generated_rows() -> PerRow:
    """Counted from the project's own sample, which is the same everywhere."""
    with tempfile.TemporaryDirectory() as folder:
        csv = Path(folder) / "sample.csv"
        write_sample(csv)
        return per_row(our_counts(sent_batches(csv, BATCH_ROWS)))


def demands(load: int, row: PerRow) -> list[Demand]:
    """Of one load, the tightest first. A shard's two limits are those of a stream of one shard."""
    batch = _BATCH_ROWS_OF_100 if load <= _BATCH_ROWS_OF_100 else BATCH_ROWS
    requests = load / batch
    found = [
        Demand(SHARD_BYTES, f"{load:,} rows/s x {row.stream_bytes:g} B", load * row.stream_bytes),
        Demand(SHARD_RECORDS, f"{load:,} rows/s / {batch:,} rows a record", requests),
        Demand(ON_DEMAND_STREAM, f"{load:,} rows/s x {row.stream_bytes:g} B", load * row.stream_bytes),
        Demand(NEW_TABLE_UNITS, f"{load:,} rows/s x {row.write_units:g} units", load * row.write_units),
        Demand(TABLE_UNITS, f"{load:,} rows/s x {row.write_units:g} units", load * row.write_units),
        Demand(GATEWAY, f"{load:,} rows/s / {batch:,} rows a request", requests),
        Demand(
            CONSUMER_TIME, f"{load:,} rows/s x {row.to_dynamodb_seconds * 1e6:g} us", load * row.to_dynamodb_seconds
        ),
        Demand(CONCURRENCY, *_executions(load, row)),
    ]
    return sorted(found, key=lambda demand: -demand.share)


def shards(load: int, row: PerRow) -> int:
    """For the bytes, and so that to_dynamodb, one run a shard at a time, keeps up."""
    return max(math.ceil(load * row.stream_bytes / SHARD_BYTES.limit), math.ceil(load * row.to_dynamodb_seconds))


def _executions(load: int, row: PerRow) -> tuple[str, float]:
    seconds = row.api_seconds + row.to_dynamodb_seconds
    return f"{load:,} rows/s x {seconds * 1e6:g} us", load * seconds


def capacity_page(row: PerRow) -> str:
    """docs/capacity.md."""
    return "\n".join([*_head(row), *(line for load in LOADS for line in _section(load, row)), *_sources(), ""])


def _sources() -> Iterator[str]:
    yield from ("", "## Sources of the quotas", "")
    for quota in QUOTAS:
        yield f"- {quota.name}: {quota.limit:,.0f} {quota.unit}. {quota.source}."


def _head(row: PerRow) -> list[str]:
    return [
        "# Capacity",
        "",
        "Which quota binds first, and what to set: computed by `python -m bench capacity`; a test keeps the two equal.",
        "",
        f"Counted from {row.counted_rows:,} generated rows through the real code at {BATCH_ROWS:,} rows a request:",
        f"a row is {row.stream_bytes:g} bytes on the stream and {row.write_units:g} write units in both tables.",
        f"Lambda's time is taken as {API_MICROSECONDS:g} us a row in the API and {TO_DYNAMODB_MICROSECONDS:g} us in",
        "`to_dynamodb`, most of it waiting for BatchWriteItem; `to_s3` needs less than either. What only AWS can show",
        "is unproven: the quotas are those of its documentation, and your account's own may differ.",
    ]


def _section(load: int, row: PerRow) -> Iterator[str]:
    found = demands(load, row)
    over = [demand for demand in found if demand.share > 1]
    yield from ("", f"## {load:,} rows a second", "", "| quota | asked | of | share |", "|---|---|---|---|")
    for demand in found:
        asked = f"{demand.arithmetic} = {demand.asked:,.4g} {demand.quota.unit}"
        yield f"| {demand.quota.name} | {asked} | {demand.quota.limit:,.0f} | {demand.share:.2%} |"
    yield ""
    yield _verdict(found[0], over)
    yield from ("", *_settings(load, row))


def _verdict(first: Demand, over: list[Demand]) -> str:
    if not over:
        return f"Nothing binds; {first.quota.name} would be first, at {1 / first.share:,.0f} times this load."
    return f"**{first.quota.name[0].upper()}{first.quota.name[1:]} binds first**, {first.share:.1f} times over."


def _settings(load: int, row: PerRow) -> Iterator[str]:
    by_bytes = math.ceil(load * row.stream_bytes / SHARD_BYTES.limit)
    by_time = math.ceil(load * row.to_dynamodb_seconds)
    units = math.ceil(load * row.write_units)
    yield (
        f"- `ShardCount` {shards(load, row)} if provisioned: {by_bytes} for the bytes "
        f"({load:,} x {row.stream_bytes:g} B / 1 MB), {by_time} for `to_dynamodb` "
        f"({load:,} x {row.to_dynamodb_seconds * 1e6:g} us), which runs once a shard at a time."
    )
    if units > NEW_TABLE_UNITS.limit:
        yield f"- Warm throughput of {units:,} write units for the two tables together, before the load comes."
    if units > TABLE_UNITS.limit:
        yield f"- A quota of more than {TABLE_UNITS.limit:,.0f} write units a table, asked for in time."
    busy = load * row.api_seconds
    yield f"- `ApiConcurrency` {max(2, math.ceil(2 * busy))}: twice the {busy:,.3g} that are busy at once."
