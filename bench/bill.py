"""What a design costs: counts times the prices of price_list.toml, service by service."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.counts import Counts
from bench.designs import Design

READERS = 2
"""Consumers of the stream; each of them reads every byte."""

DAYS_PER_MONTH = 30
GB = 1e9
"""AWS counts some of its gigabytes as 2^30 bytes, so a true bill is up to 7 % lower in these."""

_STORED_ITEM_BYTES = 100  # what DynamoDB adds to each stored item
_GATEWAYS = {"HTTP API": "http_api.per_million_requests", "REST API": "rest_api.per_million_requests"}
_PRICE_LIST = Path(__file__).with_name("price_list.toml")
_UNITS = {"per_million_": 1e6, "per_ten_thousand_": 1e4, "per_thousand_": 1e3}


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars, by names such as `s3.per_thousand_puts`. `assumed` is stated, not measured; the file says why."""

    as_of: str
    region: str
    listed: Mapping[str, Mapping[str, float]]

    def __getitem__(self, name: str) -> float:
        """The dollars of a single piece, whatever number of them the list names. Raises KeyError."""
        service, _, price = name.partition(".")
        pieces = next((number for prefix, number in _UNITS.items() if price.startswith(prefix)), 1)
        return self.listed[service][price] / pieces

    def assumed(self, name: str) -> float:
        return self.listed["assumed"][name]


def read_prices() -> Prices:
    content = tomllib.loads(_PRICE_LIST.read_text())
    return Prices(content.pop("as_of"), content.pop("region"), content)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a bill: how much of what, and what it costs in dollars."""

    service: str
    what: str
    amount: float
    dollars: float


@dataclass(frozen=True, slots=True)
class Bill:
    """What `rows` rows cost a month in a design, if each costs what the counted rows did on average. Without queries.

    `per_request`: paid once, by the row. `storage`: each month that the rows stay. `monthly`: without rows, too.
    """

    design: Design
    counts: Counts
    rows: int
    per_request: list[Entry]
    storage: list[Entry]
    monthly: list[Entry]

    @property
    def per_million(self) -> float:
        """Dollars per million rows."""
        return dollars(self.per_request) * 1e6 / self.rows


def bill(counts: Counts, design: Design, prices: Prices, rows: int) -> Bill:
    scale = rows / counts.rows
    by_row = per_request_cost(counts, design, prices, scale)
    return Bill(design, counts, rows, by_row, storage_cost(counts, prices, scale), monthly_cost(counts, design, prices))


def dollars(entries: Iterable[Entry]) -> float:
    return sum(entry.dollars for entry in entries)


def per_request_cost(counts: Counts, design: Design, prices: Prices, scale: float) -> list[Entry]:
    """`scale` is how many times the counted rows are paid for.

    A key is read once a minute at most, so at most once a request: here at every one. A consumer reads every
    ten seconds at most who is erased: here for every record. A day's retention is in the price of what comes into the
    stream; the days after it are paid for once, too.
    """
    extended = counts.stream_bytes * scale / GB * (design.stream_days - 1) / DAYS_PER_MONTH
    log_gb = log_bytes(counts, prices) * scale / GB
    table = [
        ("API Gateway", f"requests, {design.gateway}", counts.gateway_units * scale, _GATEWAYS[design.gateway]),
        ("API Gateway", "GB of answers", counts.answer_bytes * scale / GB, "data_transfer.per_gb_out"),
        ("Lambda", "invocations", counts.invocations.total() * scale, "lambda.per_million_requests"),
        ("Lambda", "GB-seconds", scale * _running(counts, design, prices), "lambda.per_gb_second"),
        ("Lambda", "GB-seconds of cold starts", scale * _starting(counts, design, prices), "lambda.per_gb_second"),
        *_stream_use(counts, design, scale),
        ("Kinesis", "GB-months of retention", extended, "kinesis.per_gb_month_extended_retention"),
        ("S3", "PUT requests", counts.calls["PutObject"] * scale, "s3.per_thousand_puts"),
        (
            "S3",
            "GET requests, erasures",
            counts.records * READERS * design.object_reads_per_delivery * scale,
            "s3.per_thousand_gets",
        ),
        ("S3", "moves to Glacier", counts.movable_objects * scale * design.archives, "s3.per_thousand_transitions"),
        ("DynamoDB", "write units", counts.write_units * scale, "dynamodb.per_million_write_units"),
        (
            "DynamoDB",
            "read units, API keys",
            counts.requests * design.key_reads_per_request * scale,
            "dynamodb.per_million_read_units",
        ),
        ("CloudWatch", "GB of logs", log_gb, "logs.per_gb"),
        ("CloudWatch", "GB-months of logs", log_gb * design.log_days / DAYS_PER_MONTH, "logs.per_gb_month"),
    ]
    return [priced(prices, *row) for row in table]


def storage_cost(counts: Counts, prices: Prices, scale: float) -> list[Entry]:
    """In S3's standard class, although large objects move to a cheaper one."""
    items = (counts.item_bytes + counts.items * _STORED_ITEM_BYTES) * scale / GB
    per_item_gb = prices["dynamodb.per_gb_month"] + prices["dynamodb.per_gb_month_point_in_time_recovery"]
    return [
        priced(prices, "S3", "GB-months", counts.object_bytes * scale / GB, "s3.per_gb_month"),
        Entry("DynamoDB", "GB-months with recovery", items, items * per_item_gb),
    ]


def monthly_cost(counts: Counts, design: Design, prices: Prices) -> list[Entry]:
    """A metric costs for the hours in which it was sent; here it is sent in all. A refresh finds nothing new."""
    hours = prices.assumed("hours_per_month")
    refreshing = design.refreshes * prices.assumed("seconds_per_idle_refresh") * design.refresh_memory / 1024
    kms_requests = design.key_users * prices.assumed("kms_requests_per_user_hour") * hours
    table = [
        ("Kinesis", "shard hours", hours * design.shards, "kinesis_provisioned.per_shard_hour")
        if design.shards
        else ("Kinesis", "stream hours, on demand", hours, "kinesis.per_stream_hour"),
        ("CloudWatch", "alarms", design.alarms, "cloudwatch.per_alarm_month"),
        ("CloudWatch", "metrics of our own", len(counts.metrics), "cloudwatch.per_metric_month"),
        ("CloudWatch", "metrics asked of AWS", design.service_metrics, "cloudwatch.per_metric_month"),
        ("CloudWatch", "dashboards", design.dashboards, "cloudwatch.per_dashboard_month"),
        ("KMS", "requests for stream and tables", kms_requests, "kms.per_ten_thousand_requests"),
        ("Lambda", "GB-seconds of refreshes", refreshing, "lambda.per_gb_second"),
    ]
    return [priced(prices, *row) for row in table]


def cloudwatch_allowance(counts: Counts, design: Design, prices: Prices) -> float:
    """What an account that uses CloudWatch for nothing else pays less than `monthly_cost`, which has no free tier."""
    used = {
        "alarm": design.alarms,
        "metric": len(counts.metrics) + design.service_metrics,
        "dashboard": design.dashboards,
    }
    return sum(
        min(count, prices[f"cloudwatch.free_{what}s"]) * prices[f"cloudwatch.per_{what}_month"]
        for what, count in used.items()
    )


def function_seconds(counts: Counts, function: str, prices: Prices) -> float:
    """Lambda's billed time: measured CPU time times the stated factor, and the stated wait for each call to AWS."""
    calls = counts.calls_by_function.get(function, Counter())
    waits = calls.total() * prices.assumed("seconds_per_call")
    waits += calls["PutObject"] * (prices.assumed("seconds_per_s3_call") - prices.assumed("seconds_per_call"))
    return counts.cpu_seconds[function] * prices.assumed("lambda_cpu_factor") + waits


def log_bytes(counts: Counts, prices: Prices) -> float:
    """Of our own lines, as they were printed, of Lambda's about each invocation, and of the gateway's."""
    lambdas = counts.invocations.total() * prices.assumed("log_bytes_per_invocation")
    return counts.log_bytes + lambdas + counts.requests * prices.assumed("log_bytes_per_request")


def _stream_use(counts: Counts, design: Design, scale: float) -> list[tuple[str, str, float, str]]:
    """By the gigabyte on demand; by the payload unit with shards, whose reading by polling costs nothing."""
    if design.shards:
        units = counts.payload_units * scale
        return [("Kinesis", "PUT payload units", units, "kinesis_provisioned.per_million_payload_units")]
    stream_gb = counts.stream_kib * 1024 * scale / GB
    pushed = int(design.has_fan_out)
    return [
        ("Kinesis", "GB in", stream_gb, "kinesis.per_gb_in"),
        ("Kinesis", "GB out, polled", stream_gb * (READERS - pushed), "kinesis.per_gb_out"),
        ("Kinesis", "GB out, fan-out", stream_gb * pushed, "kinesis.per_gb_out_fan_out"),
    ]


def _running(counts: Counts, design: Design, prices: Prices) -> float:
    """GB-seconds."""
    return sum(function_seconds(counts, name, prices) * megabytes / 1024 for name, megabytes in design.memory.items())


def _starting(counts: Counts, design: Design, prices: Prices) -> float:
    """GB-seconds."""
    seconds = prices.assumed("cold_starts_per_invocation") * prices.assumed("seconds_per_cold_start")
    return sum(counts.invocations[name] * seconds * megabytes / 1024 for name, megabytes in design.memory.items())


def priced(prices: Prices, service: str, what: str, amount: float, price: str) -> Entry:
    """`price` is a name of the price list."""
    return Entry(service, what, amount, amount * prices[price])
