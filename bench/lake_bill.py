"""What the lake costs: for the rows that a refresh brings in, and for a month in which nothing arrives."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bench.bill import DAYS_PER_MONTH, Entry, Prices, priced
from bench.designs import REFRESH, VACUUM, setting

_MESSAGES_PER_CALL = 10  # SQS's limit, to receive and to delete
_EMPTY_RECEIVE_SECONDS = 1.0
_METRICS = 2


@dataclass(frozen=True, slots=True)
class LakeUse:
    """What a refresh used: CPU seconds of this machine, and calls to S3 by action, counted on the wire."""

    rows: int
    objects: int
    seconds: float
    calls: Mapping[str, int]


def lake_cost(use: LakeUse, prices: Prices) -> list[Entry]:
    """S3 sends a message for each object; a refresh receives and deletes them by tens, and stops when it gets none."""
    queue_calls = 2 * math.ceil(use.objects / _MESSAGES_PER_CALL) + 1
    reads, s3_calls = use.calls.get("s3:GetObject", 0), sum(use.calls.values())
    waits = s3_calls * prices.assumed("seconds_per_s3_call") + queue_calls * prices.assumed("seconds_per_call")
    seconds = use.seconds * prices.assumed("lambda_cpu_factor") + waits + _EMPTY_RECEIVE_SECONDS
    return [
        priced(prices, "SQS", "notifications and calls", use.objects + queue_calls, "sqs.per_million_requests"),
        priced(prices, "S3", "GET requests", reads, "s3.per_thousand_gets"),
        priced(prices, "S3", "PUT and LIST requests", s3_calls - reads, "s3.per_thousand_puts"),
        *_runs(REFRESH, 1, seconds, prices),
    ]


def idle_lake_cost(prices: Prices) -> list[Entry]:
    """A month of hourly refreshes and daily vacuums without work. The alarms are in the bill of the stack."""
    hours = prices.assumed("hours_per_month")
    return [
        *_runs(REFRESH, hours, _EMPTY_RECEIVE_SECONDS, prices),
        *_runs(VACUUM, DAYS_PER_MONTH, _EMPTY_RECEIVE_SECONDS, prices),
        priced(prices, "SQS", "calls", hours, "sqs.per_million_requests"),
        priced(prices, "S3", "GET requests, erasures", hours, "s3.per_thousand_gets"),
        priced(prices, "CloudWatch", "metrics", _METRICS, "cloudwatch.per_metric_month"),
    ]


def _runs(function: str, runs: float, seconds: float, prices: Prices) -> list[Entry]:
    """Each run of `seconds` begins with a cold start: between two scheduled ones Lambda ends the environment."""
    gigabytes = setting(function, "MemorySize") / 1024
    gb_seconds = runs * (prices.assumed("seconds_per_lake_start") + seconds) * gigabytes
    return [
        priced(prices, "Lambda", f"invocations of {function}", runs, "lambda.per_million_requests"),
        priced(prices, "Lambda", f"GB-seconds of {function}", gb_seconds, "lambda.per_gb_second"),
    ]
