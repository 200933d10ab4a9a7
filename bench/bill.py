"""Counts times prices: what a design costs, service by service."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.counts import Counts
from bench.item_size import STORED_ITEM_OVERHEAD_BYTES
from bench.prices import Prices, RequestPrices

GB = 1e9
READERS = 2
"""Consumers of the stream, each of which retrieves every byte."""

_EXTENDED_RETENTION_DAYS = 6
_DAYS_PER_MONTH = 30
_S3_CALLS = frozenset({"PutObject"})


@dataclass(frozen=True, slots=True)
class Design:
    """What the template says of a design, as far as it costs. Memory is in MB by function."""

    name: str
    gateway: str
    memory: Mapping[str, int]
    alarms: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a bill: how much of what, and what it costs in dollars."""

    service: str
    what: str
    amount: float
    dollars: float


@dataclass(frozen=True, slots=True)
class Bill:
    """`passing`: by the row. `keeping`: each month that the rows stay. `standing`: a month without any row, too."""

    passing: tuple[Entry, ...]
    keeping: tuple[Entry, ...]
    standing: tuple[Entry, ...]


def dollars(entries: Iterable[Entry]) -> float:
    return sum(entry.dollars for entry in entries)


def bill(counts: Counts, design: Design, prices: Prices, rows: int) -> Bill:
    """What `rows` rows cost a month, if every row costs as those counted did on average."""
    scale = rows / counts.rows
    passing = [*_door(counts, design, prices, scale), *_functions(counts, design, prices, scale)]
    passing += [*_stream(counts, prices, scale), *_stores(counts, prices, scale), _logs(counts, prices, scale)]
    return Bill(tuple(passing), tuple(_keeping(counts, prices, scale)), tuple(_standing(design, prices)))


def function_seconds(counts: Counts, name: str, prices: Prices) -> float:
    """Lambda's billed time: measured CPU times the stated factor, and the stated wait for each call to AWS."""
    assumed = prices.assumed
    calls = counts.calls_by_function.get(name, Counter())
    waits = sum(
        count * (assumed.seconds_per_s3_call if operation in _S3_CALLS else assumed.seconds_per_call)
        for operation, count in calls.items()
    )
    return counts.cpu_seconds[name] * assumed.lambda_cpu_factor + waits


def _door(counts: Counts, design: Design, prices: Prices, scale: float) -> list[Entry]:
    price: RequestPrices = prices.http_api if design.gateway == "HTTP API" else prices.rest_api
    units = counts.gateway_units * scale
    return [Entry("API Gateway", f"requests, {design.gateway}", units, units * price.per_million_requests / 1e6)]


def _functions(counts: Counts, design: Design, prices: Prices, scale: float) -> list[Entry]:
    requests = counts.invocations.total() * scale
    gb_seconds = scale * sum(
        function_seconds(counts, name, prices) * megabytes / 1024 for name, megabytes in design.memory.items()
    )
    return [
        Entry("Lambda", "invocations", requests, requests * prices.lambda_.per_million_requests / 1e6),
        Entry("Lambda", "GB-seconds", gb_seconds, gb_seconds * prices.lambda_.per_gb_second),
    ]


def _stream(counts: Counts, prices: Prices, scale: float) -> list[Entry]:
    gigabytes = counts.stream_kib * 1024 * scale / GB
    return [
        Entry("Kinesis", "GB in", gigabytes, gigabytes * prices.kinesis.per_gb_in),
        Entry("Kinesis", "GB out", gigabytes * READERS, gigabytes * READERS * prices.kinesis.per_gb_out),
    ]


def _stores(counts: Counts, prices: Prices, scale: float) -> list[Entry]:
    puts, units = counts.calls["PutObject"] * scale, counts.write_units * scale
    return [
        Entry("S3", "PUT requests", puts, puts * prices.s3.per_thousand_puts / 1e3),
        Entry("DynamoDB", "write units", units, units * prices.dynamodb.per_million_write_units / 1e6),
    ]


def _logs(counts: Counts, prices: Prices, scale: float) -> Entry:
    lines = counts.invocations.total() * prices.assumed.log_bytes_per_invocation
    gigabytes = (lines + counts.requests * prices.assumed.log_bytes_per_request) * scale / GB
    return Entry("CloudWatch", "GB of logs", gigabytes, gigabytes * prices.logs.per_gb)


def _keeping(counts: Counts, prices: Prices, scale: float) -> list[Entry]:
    objects = counts.object_bytes * scale / GB
    items = (counts.item_bytes + counts.items * STORED_ITEM_OVERHEAD_BYTES) * scale / GB
    waiting = counts.stream_bytes * scale / GB * _EXTENDED_RETENTION_DAYS / _DAYS_PER_MONTH
    per_item_gb = prices.dynamodb.per_gb_month + prices.dynamodb.per_gb_month_point_in_time_recovery
    return [
        Entry("S3", "GB-months", objects, objects * prices.s3.per_gb_month),
        Entry("DynamoDB", "GB-months with recovery", items, items * per_item_gb),
        Entry("Kinesis", "GB-months of retention", waiting, waiting * prices.kinesis.per_gb_month_extended_retention),
    ]


def _standing(design: Design, prices: Prices) -> list[Entry]:
    hours = prices.assumed.hours_per_month
    return [
        Entry("Kinesis", "stream hours, on demand", hours, hours * prices.kinesis.per_stream_hour),
        Entry("CloudWatch", "alarms", design.alarms, design.alarms * prices.cloudwatch.per_alarm_month),
    ]
