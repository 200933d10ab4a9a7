"""Which quota binds first at a load: arithmetic on what a counted run used for each row."""

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.bill import DAYS_PER_MONTH, GB, READERS
from bench.counts import PAYLOAD_UNIT_BYTES, Counts
from bench.designs import API, TO_DYNAMODB, template_default
from bench.flows import our_counts
from bench.prices import Prices
from bench.rows import posted_batches
from invoices.batch import pack, unpack
from invoices.limits import MAX_BODY_BYTES
from local_runtime.sample import write_sample

LOADS = {100: 100, 10_000: 5_000, 1_000_000: 5_000}
"""Rows a second, and rows a request. At 100 rows a second nobody waits 50 s for a full batch: a request a second."""

CATCHING_UP = 2
"""How many times as fast as they come rows can be read after a pause; a stream on demand has the same reserve."""

# CPU time of a row in a full batch: stated, above what a quiet machine measures, so that the page is the same on each.
_API_CPU_MICROSECONDS = 5.0
_TO_DYNAMODB_CPU_MICROSECONDS = 20.0

_READ_NOW_AND_THEN = frozenset({"GetItem", "GetObject"})
"""An API key, and who is erased: a slow machine reads them more often, so each counts once."""

_MB = 1_000_000
SHARD_READ_BYTES = 2 * _MB
NEW_STREAM_BYTES = 4 * _MB
NEW_STREAM_SHARDS = 4
NEW_TABLE_UNITS = 4_000
TABLE_UNITS = 40_000


@dataclass(frozen=True, slots=True)
class Work:
    """A row's share of a function's work, and the time of Lambda that it takes."""

    cpu_microseconds: float
    calls: float
    cpu_factor: float
    microseconds_per_call: float

    @property
    def computing(self) -> float:
        return self.cpu_microseconds * self.cpu_factor

    @property
    def waiting(self) -> float:
        return self.calls * self.microseconds_per_call

    @property
    def microseconds(self) -> float:
        """Rounded as the page shows it and goes on calculating with it."""
        return round(self.computing + self.waiting, 1)


@dataclass(frozen=True, slots=True)
class PerRow:
    """What one row uses on average. `batch_rows` is what was asked of the client, which ends batches between invoices,
    and `rows_per_request` what it sent.
    """

    batch_rows: int
    rows_per_request: float
    stream_bytes: float
    write_units: float
    api: Work
    to_dynamodb: Work
    counted_rows: int


@dataclass(frozen=True, slots=True)
class Quota:
    """`limit` is what an account or a resource starts with, by its `source`. `demand` says, for rows a second, how the
    use of the quota is calculated, and how much it is.
    """

    name: str
    limit: float
    unit: str
    source: str
    demand: Callable[[int, PerRow], tuple[str, float]]

    def share(self, load: int, row: PerRow) -> float:
        return self.demand(load, row)[1] / self.limit


def quotas() -> list[Quota]:
    """AWS's limits that rows a second come near, and our own throttle. A shard's are those of a one-shard stream."""
    own = template_default("RequestsPerSecond")
    on_demand = '"Understanding warm throughput": on demand; here both tables against the limit of one'
    shard = 'Kinesis, "Quotas and limits": 1 MB/s and 1,000 records/s in each shard'
    at_first = "The same: 4 MB/s at first; later twice the highest load of the last 30 days"
    later = "The same: 200 MB/s, but 10 GB/s in us-east-1, us-west-2 and eu-west-1"
    gateway = 'API Gateway, "Quotas": an account in a region, all its APIs together; 2,500 in some younger regions'
    one_run = "template.yaml: `ParallelizationFactor` 1, one run at a time"
    table = 'DynamoDB, "Quotas": a table on demand; here both tables against the limit of one'
    runs = 'Lambda, "Quotas": an account in a region; a new account has fewer'
    return [
        Quota("a shard's input", _MB, "B/s", shard, _bytes_in),
        Quota("a shard's records", 1_000, "records/s", "The same", _requests),
        Quota("a shard's output", SHARD_READ_BYTES, "B/s", "The same: 2 MB/s for all consumers together", _bytes_out),
        Quota("a new on-demand stream", NEW_STREAM_BYTES, "B/s", at_first, _bytes_in),
        Quota("an on-demand stream", 200 * _MB, "B/s", later, _bytes_in),
        Quota("a new table's write units", NEW_TABLE_UNITS, "units/s", f"DynamoDB, {on_demand}", _units),
        Quota("a table's write units", TABLE_UNITS, "units/s", table, _units),
        Quota("gateway requests", 10_000, "requests/s", gateway, _requests),
        Quota("`to_dynamodb`'s time in a shard", 1, "s/s", one_run, _consumer_time),
        Quota("concurrent executions", 1_000, "at once", runs, _function_time),
        Quota("`RequestsPerSecond`", own, "requests/s", "template.yaml: our own limit, to be set", _requests),
    ]


def tightest_first(load: int, row: PerRow) -> list[Quota]:
    return sorted(quotas(), key=lambda quota: -quota.share(load, row))


def shards(load: int, row: PerRow) -> int:
    """For the bytes, and for to_dynamodb's time."""
    return max(shards_for_bytes(load, row), shards_for_time(load, row))


def shards_for_bytes(load: int, row: PerRow) -> int:
    """A shard's output is for all consumers together."""
    return math.ceil(_bytes_out(load, row)[1] * CATCHING_UP / SHARD_READ_BYTES)


def shards_for_time(load: int, row: PerRow) -> int:
    """to_dynamodb runs once a shard at a time."""
    return math.ceil(_consumer_time(load, row)[1] * CATCHING_UP)


def gigabytes_a_month(load: int, row: PerRow, prices: Prices) -> float:
    return load * row.stream_bytes * prices.assumed("hours_per_month") * 3600 / GB


def on_demand_dollars(load: int, row: PerRow, prices: Prices) -> float:
    """A month: by the stream's hour, and by the GB that comes in, goes out to each reader and is kept after a day."""
    months_kept = (template_default("StreamRetentionHours") / 24 - 1) / DAYS_PER_MONTH
    by_gigabyte = prices["kinesis.per_gb_in"] + prices["kinesis.per_gb_out"] + prices["kinesis.per_gb_out_fan_out"]
    by_gigabyte += prices["kinesis.per_gb_month_extended_retention"] * months_kept
    by_hour = prices.assumed("hours_per_month") * prices["kinesis.per_stream_hour"]
    return by_hour + gigabytes_a_month(load, row, prices) * by_gigabyte


def provisioned_dollars(shards: int, load: int, row: PerRow, prices: Prices) -> float:
    """A month: by the shard's hour, a second time for retention after a day, and by the record."""
    hours, units = prices.assumed("hours_per_month"), "kinesis_provisioned.per_million_payload_units"
    by_hour = prices["kinesis_provisioned.per_shard_hour"]
    by_hour += prices["kinesis_provisioned.per_shard_hour_extended_retention"]
    units_a_record = math.ceil(row.rows_per_request * row.stream_bytes / PAYLOAD_UNIT_BYTES)
    records = load / row.rows_per_request * hours * 3600
    return shards * hours * by_hour + records * units_a_record * prices[units]


def generated_rows(batch_rows: int, prices: Prices) -> PerRow:
    """Counted from the project's own sample; its last request, a rest, is left out.

    Compressed by zlib, which writes the same everywhere: the client's library writes some 6 % fewer bytes, and how
    many depends on the processor.
    """
    with tempfile.TemporaryDirectory() as folder:
        csv = Path(folder) / "sample.csv"
        write_sample(csv)
        full = list(posted_batches(csv, batch_rows))[:-1]
    return per_row(
        our_counts(replace(batch, body=pack(unpack(batch.body, MAX_BODY_BYTES))) for batch in full), batch_rows, prices
    )


def per_row(counts: Counts, batch_rows: int, prices: Prices) -> PerRow:
    """Lambda's time is computed as the bill computes it."""

    def work(function: str, cpu_microseconds: float) -> Work:
        calls = counts.calls_by_function[function].items()
        counted = sum(1 if operation in _READ_NOW_AND_THEN else number for operation, number in calls)
        wait = prices.assumed("seconds_per_call") * 1e6
        return Work(cpu_microseconds, round(counted / counts.rows, 5), prices.assumed("lambda_cpu_factor"), wait)

    return PerRow(
        batch_rows=batch_rows,
        rows_per_request=round(counts.rows / counts.requests),
        stream_bytes=round(counts.stream_bytes / counts.rows),
        write_units=round(counts.write_units / counts.rows, 3),
        api=work(API, _API_CPU_MICROSECONDS),
        to_dynamodb=work(TO_DYNAMODB, _TO_DYNAMODB_CPU_MICROSECONDS),
        counted_rows=counts.rows,
    )


def _bytes_in(load: int, row: PerRow) -> tuple[str, float]:
    return f"{load:,} rows/s x {row.stream_bytes:g} B", load * row.stream_bytes


def _bytes_out(load: int, row: PerRow) -> tuple[str, float]:
    arithmetic, size = _bytes_in(load, row)
    return f"{arithmetic} x {READERS} consumers", size * READERS


def _requests(load: int, row: PerRow) -> tuple[str, float]:
    return f"{load:,} rows/s / {row.rows_per_request:,g} rows", load / row.rows_per_request


def _units(load: int, row: PerRow) -> tuple[str, float]:
    return f"{load:,} rows/s x {row.write_units:g} units", load * row.write_units


def _consumer_time(load: int, row: PerRow) -> tuple[str, float]:
    return _time(load, row.to_dynamodb.microseconds)


def _function_time(load: int, row: PerRow) -> tuple[str, float]:
    return _time(load, row.api.microseconds + row.to_dynamodb.microseconds)


def _time(load: int, microseconds: float) -> tuple[str, float]:
    return f"{load:,} rows/s x {microseconds:g} us", load * microseconds / 1e6
