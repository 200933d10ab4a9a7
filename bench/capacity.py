"""docs/capacity.md: which quota binds first at a load, and what to set.

Arithmetic on what a counted run used for each row. capacity_page.md has the text around it, the sources of the quotas
and the part on the lake.
"""

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench.bill import DAYS_PER_MONTH, GB, READERS, Prices
from bench.counts import PAYLOAD_UNIT_BYTES, Counts
from bench.designs import API, TO_DYNAMODB, retention_days, setting
from bench.flows import our_counts
from bench.rows import posted_batches
from invoices.batch import pack, unpack
from invoices.limits import MAX_BODY_BYTES
from local_runtime.sample import write_sample

_PAGE = Path(__file__).with_name("capacity_page.md")

LOADS = {100: 100, 10_000: 5_000, 1_000_000: 5_000}
"""Rows a second, and rows a request. At 100 rows a second nobody waits 50 s for a full batch: a request a second."""

_CATCHING_UP = 2
"""How many times as fast as they come rows can be read after a pause; a stream on demand has the same reserve."""

# CPU time of a row in a full batch: stated, above what a quiet machine measures, so that the page is the same on each.
_API_CPU_MICROSECONDS = 5.0
_TO_DYNAMODB_CPU_MICROSECONDS = 20.0

_READ_NOW_AND_THEN = frozenset({"GetItem", "GetObject"})
"""An API key, and who is erased: a slow machine reads them more often, so each counts once."""

_MB = 1_000_000
_SHARD_READ_BYTES = 2 * _MB
_NEW_STREAM_BYTES = 4 * _MB
_NEW_STREAM_SHARDS = 4
_NEW_TABLE_UNITS = 4_000
_TABLE_UNITS = 40_000
_WHOLE = 100
"""From here on nobody needs a digit behind the point."""


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
    """`limit` is what an account or a resource starts with; capacity_page.md names its source. A row uses `per_row` of
    it, and `arithmetic` is what stands behind the rows a second where that is calculated.
    """

    name: str
    limit: float
    unit: str
    arithmetic: str
    per_row: float

    def share(self, load: int) -> float:
        return load * self.per_row / self.limit


def capacity_page(prices: Prices) -> str:
    rows = {batch_rows: _generated_rows(batch_rows, prices) for batch_rows in sorted(set(LOADS.values()))}
    works = [
        (row, name, work)
        for row in rows.values()
        for name, work in (("API", row.api), ("`to_dynamodb`", row.to_dynamodb))
    ]
    return _PAGE.read_text().format(
        used="\n".join(_use(row) for row in rows.values()),
        times="\n".join(f"| {name} | {row.batch_rows:,} | {_time(work)} |" for row, name, work in works),
        loads="\n\n".join("\n".join(_section(load, rows[each], prices)) for load, each in LOADS.items()),
    )


def _generated_rows(batch_rows: int, prices: Prices) -> PerRow:
    """Counted from the project's own sample; its last request, a rest, is left out.

    Compressed by zlib, which writes the same everywhere: the client's library writes some 6 % fewer bytes, and how
    many depends on the processor.
    """
    with tempfile.TemporaryDirectory() as folder:
        csv = Path(folder) / "sample.csv"
        write_sample(csv)
        full = list(posted_batches(csv, batch_rows))[:-1]
    batches = (replace(batch, body=pack(unpack(batch.body, MAX_BODY_BYTES))) for batch in full)
    return per_row(our_counts(batches), batch_rows, prices)


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


def quotas(row: PerRow) -> list[Quota]:
    """AWS's limits that rows a second come near, and our own throttle. A shard's are those of a one-shard stream."""
    bytes_in = (f"x {row.stream_bytes:g} B", row.stream_bytes)
    bytes_out = (f"{bytes_in[0]} x {READERS} consumers", row.stream_bytes * READERS)
    requests = (f"/ {row.rows_per_request:,g} rows", 1 / row.rows_per_request)
    units = (f"x {row.write_units:g} units", row.write_units)
    consumer, functions = row.to_dynamodb.microseconds, row.api.microseconds + row.to_dynamodb.microseconds
    own = setting("HttpApi", "DefaultRouteSettings", "ThrottlingRateLimit")
    return [
        Quota("a shard's input", _MB, "B/s", *bytes_in),
        Quota("a shard's records", 1_000, "records/s", *requests),
        Quota("a shard's output", _SHARD_READ_BYTES, "B/s", *bytes_out),
        Quota("a new on-demand stream", _NEW_STREAM_BYTES, "B/s", *bytes_in),
        Quota("an on-demand stream", 200 * _MB, "B/s", *bytes_in),
        Quota("a new table's write units", _NEW_TABLE_UNITS, "units/s", *units),
        Quota("a table's write units", _TABLE_UNITS, "units/s", *units),
        Quota("gateway requests", 10_000, "requests/s", *requests),
        Quota("`to_dynamodb`'s time in a shard", 1, "s/s", f"x {consumer:g} us", consumer / 1e6),
        Quota("concurrent executions", 1_000, "at once", f"x {functions:g} us", functions / 1e6),
        Quota("`RequestsPerSecond`", own, "requests/s", *requests),
    ]


def tightest_first(load: int, row: PerRow) -> list[Quota]:
    return sorted(quotas(row), key=lambda quota: -quota.share(load))


def shards(load: int, row: PerRow) -> tuple[int, int]:
    """How many the bytes need, which go out to all consumers, and how many to_dynamodb, which runs once a shard."""
    by_bytes = load * row.stream_bytes * READERS / _SHARD_READ_BYTES
    by_time = load * row.to_dynamodb.microseconds / 1e6
    return math.ceil(by_bytes * _CATCHING_UP), math.ceil(by_time * _CATCHING_UP)


def on_demand_dollars(load: int, row: PerRow, prices: Prices) -> float:
    """A month: by the stream's hour, and by the GB that comes in, goes out to each reader and is kept after a day."""
    by_gigabyte = prices["kinesis.per_gb_in"] + prices["kinesis.per_gb_out"] + prices["kinesis.per_gb_out_fan_out"]
    by_gigabyte += prices["kinesis.per_gb_month_extended_retention"] * (retention_days() - 1) / DAYS_PER_MONTH
    by_hour = prices.assumed("hours_per_month") * prices["kinesis.per_stream_hour"]
    return by_hour + _gigabytes_a_month(load, row, prices) * by_gigabyte


def provisioned_dollars(shards: int, load: int, row: PerRow, prices: Prices) -> float:
    """A month: by the shard's hour, a second time for retention after a day, and by the record."""
    hours, units = prices.assumed("hours_per_month"), "kinesis_provisioned.per_million_payload_units"
    by_hour = prices["kinesis_provisioned.per_shard_hour"]
    by_hour += prices["kinesis_provisioned.per_shard_hour_extended_retention"]
    units_a_record = math.ceil(row.rows_per_request * row.stream_bytes / PAYLOAD_UNIT_BYTES)
    records = load / row.rows_per_request * hours * 3600
    return shards * hours * by_hour + records * units_a_record * prices[units]


def _gigabytes_a_month(load: int, row: PerRow, prices: Prices) -> float:
    return load * row.stream_bytes * prices.assumed("hours_per_month") * 3600 / GB


def _use(row: PerRow) -> str:
    used = f"{row.rows_per_request:,g} | {row.stream_bytes:g} | {row.write_units:g}"
    return f"| {row.batch_rows:,} | {used} | {row.counted_rows:,} |"


def _time(work: Work) -> str:
    computing = f"{work.cpu_microseconds:g} us x {work.cpu_factor:g} = {work.computing:g} us"
    waiting = f"{work.calls:g} calls x {work.microseconds_per_call / 1000:g} ms = {work.waiting:.1f} us"
    return f"{computing} | {waiting} | {work.microseconds:g} us"


def _section(load: int, row: PerRow, prices: Prices) -> Iterator[str]:
    found = tightest_first(load, row)
    yield from (f"## {load:,} rows a second, {row.batch_rows:,} a request", "")
    yield from ("| quota | asked | of | share |", "|---|---|---|---|")
    for quota in found:
        asked = f"{load:,} rows/s {quota.arithmetic} = {_number(load * quota.per_row)} {quota.unit}"
        yield f"| {quota.name} | {asked} | {quota.limit:,.0f} | {quota.share(load):.2%} |"
    yield from ("", _verdict(found[0].name, found[0].share(load)), "", *_settings(load, row))
    provisioned = provisioned_dollars(max(shards(load, row)), load, row, prices)
    yield (  # of a steady load, which is what one would choose by
        f"- `StreamMode`: at this load all month long ON_DEMAND costs {on_demand_dollars(load, row, prices):,.0f} "
        f"dollars ({_gigabytes_a_month(load, row, prices):,.0f} GB), PROVISIONED {provisioned:,.0f}."
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE else f"{value:.3g}"


def _verdict(first: str, share: float) -> str:
    if share <= 1:
        return f"Nothing binds; {first} would be first, at {1 / share:.3g} times this load."
    return f"**{first[0].upper()}{first[1:]} binds first**, {share:.1f} times over."


def _settings(load: int, row: PerRow) -> Iterator[str]:
    units, requests = math.ceil(load * row.write_units), math.ceil(load / row.rows_per_request)
    by_bytes, by_time = shards(load, row)
    yield (
        f"- `ShardCount` {max(by_bytes, by_time)} if provisioned: {by_bytes} for the bytes "
        f"({load:,} x {row.stream_bytes:g} B x {READERS} consumers / 2 MB), {by_time} for "
        f"`to_dynamodb` ({load:,} x {row.to_dynamodb.microseconds:g} us), which runs once a shard at a time; "
        f"both times {_CATCHING_UP}, so that consumers catch up after a pause."
    )
    yield from _parallelization(by_bytes, by_time)
    if load * row.stream_bytes > _NEW_STREAM_BYTES:
        yield "- On demand, a load that at most doubles within a quarter of an hour: a new stream has to grow first."
    if units > _NEW_TABLE_UNITS:
        yield f"- Warm throughput of {units:,} write units for the two tables together, before the load comes."
    if units > _TABLE_UNITS:
        yield f"- A quota of more than {_TABLE_UNITS:,.0f} write units a table, asked for in time."
    if requests > setting("HttpApi", "DefaultRouteSettings", "ThrottlingRateLimit"):
        yield f"- `RequestsPerSecond` {2 * requests:,}."
    busy = load * row.api.microseconds / 1e6
    yield f"- `ApiConcurrency` {max(2, math.ceil(2 * busy))}: twice the {busy:.3g} that are busy at once."


def _parallelization(by_bytes: int, by_time: int) -> Iterator[str]:
    """On demand nobody sets the number of shards: it starts with four and grows with the bytes, to twice the load."""
    on_demand = max(_NEW_STREAM_SHARDS, by_bytes)
    if by_time > by_bytes:
        other = f"`ShardCount` {by_bytes} and `ParallelizationFactor` {math.ceil(by_time / by_bytes)}"
        yield f"- Or {other} for `to_dynamodb`: slices need no order."
    if by_time > on_demand:
        factor = math.ceil(by_time / on_demand)
        yield f"- On demand, `ParallelizationFactor` {factor}: shards grow with the bytes alone, to some {on_demand}."
