"""What rows cost as they pass, once: `scale` is how many times the rows that were counted."""

from collections import Counter
from collections.abc import Iterator

from bench.counts import Counts
from bench.designs import Design
from bench.entries import DAYS_PER_MONTH, GB, Entry, entry
from bench.prices import Prices

READERS = 2
"""Consumers of the stream, each of which retrieves every byte."""

_S3_CALLS = frozenset({"PutObject"})


def passing(counts: Counts, design: Design, prices: Prices, scale: float) -> Iterator[Entry]:
    yield from _door(counts, design, prices, scale)
    yield from _functions(counts, design, prices, scale)
    yield from _stream(counts, design, prices, scale)
    yield from _stores(counts, design, prices, scale)
    yield from _logs(counts, design, prices, scale)


def function_seconds(counts: Counts, name: str, prices: Prices) -> float:
    """Lambda's billed time: measured CPU times the stated factor, and the stated wait for each call to AWS."""
    assumed = prices.assumed
    calls = counts.calls_by_function.get(name, Counter())
    waits = sum(
        count * (assumed.seconds_per_s3_call if operation in _S3_CALLS else assumed.seconds_per_call)
        for operation, count in calls.items()
    )
    return counts.cpu_seconds[name] * assumed.lambda_cpu_factor + waits


def log_bytes(counts: Counts, prices: Prices) -> int:
    """Of our own lines, as they were printed, of Lambda's about each invocation, and of the gateway's."""
    lambdas = counts.invocations.total() * prices.assumed.log_bytes_per_invocation
    return counts.log_bytes + lambdas + counts.requests * prices.assumed.log_bytes_per_request


def _door(counts: Counts, design: Design, prices: Prices, scale: float) -> Iterator[Entry]:
    price = prices.http_api if design.gateway == "HTTP API" else prices.rest_api
    each = price.per_million_requests / 1e6
    yield entry("API Gateway", f"requests, {design.gateway}", counts.gateway_units * scale, each)
    yield entry("API Gateway", "GB of answers", counts.answer_bytes * scale / GB, prices.data_transfer.per_gb_out)


def _functions(counts: Counts, design: Design, prices: Prices, scale: float) -> Iterator[Entry]:
    each = prices.lambda_.per_gb_second
    yield entry("Lambda", "invocations", counts.invocations.total() * scale, prices.lambda_.per_million_requests / 1e6)
    yield entry("Lambda", "GB-seconds", scale * _running(counts, design, prices), each)
    yield entry("Lambda", "GB-seconds of cold starts", scale * _starting(counts, design, prices), each)


def _running(counts: Counts, design: Design, prices: Prices) -> float:
    return sum(function_seconds(counts, name, prices) * megabytes / 1024 for name, megabytes in design.memory.items())


def _starting(counts: Counts, design: Design, prices: Prices) -> float:
    seconds = prices.assumed.cold_starts_per_invocation * prices.assumed.seconds_per_cold_start
    return sum(counts.invocations[name] * seconds * megabytes / 1024 for name, megabytes in design.memory.items())


def _stream(counts: Counts, design: Design, prices: Prices, scale: float) -> Iterator[Entry]:
    """A day's retention is in the price of what comes in; the days after it are paid for once, too."""
    gigabytes = counts.stream_kib * 1024 * scale / GB
    kept = counts.stream_bytes * scale / GB * (design.stream_days - 1) / DAYS_PER_MONTH
    yield entry("Kinesis", "GB in", gigabytes, prices.kinesis.per_gb_in)
    yield entry("Kinesis", "GB out", gigabytes * READERS, prices.kinesis.per_gb_out)
    yield entry("Kinesis", "GB-months of retention", kept, prices.kinesis.per_gb_month_extended_retention)


def _stores(counts: Counts, design: Design, prices: Prices, scale: float) -> Iterator[Entry]:
    """The key is read once a minute at most, so at most once a request: here at every one."""
    dynamodb, s3 = prices.dynamodb, prices.s3
    keys = counts.requests * design.key_reads_per_request * scale
    yield entry("S3", "PUT requests", counts.calls["PutObject"] * scale, s3.per_thousand_puts / 1e3)
    if design.archives:
        yield entry("S3", "moves to Glacier", counts.movable_objects * scale, s3.per_thousand_transitions / 1e3)
    yield entry("DynamoDB", "write units", counts.write_units * scale, dynamodb.per_million_write_units / 1e6)
    yield entry("DynamoDB", "read units, API keys", keys, dynamodb.per_million_read_units / 1e6)


def _logs(counts: Counts, design: Design, prices: Prices, scale: float) -> Iterator[Entry]:
    gigabytes = log_bytes(counts, prices) * scale / GB
    kept = gigabytes * design.log_days / DAYS_PER_MONTH
    yield entry("CloudWatch", "GB of logs", gigabytes, prices.logs.per_gb)
    yield entry("CloudWatch", "GB-months of logs", kept, prices.logs.per_gb_month)
