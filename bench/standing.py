"""What costs by the month: rows that stay, and what stands with or without them."""

from collections.abc import Iterator

from bench.counts import Counts
from bench.designs import Design
from bench.entries import GB, Entry, entry
from bench.item_size import STORED_ITEM_OVERHEAD_BYTES
from bench.prices import Prices


def keeping(counts: Counts, prices: Prices, scale: float) -> Iterator[Entry]:
    """In S3's standard class, although large objects move to a cheaper one."""
    objects = counts.object_bytes * scale / GB
    items = (counts.item_bytes + counts.items * STORED_ITEM_OVERHEAD_BYTES) * scale / GB
    per_item_gb = prices.dynamodb.per_gb_month + prices.dynamodb.per_gb_month_point_in_time_recovery
    yield entry("S3", "GB-months", objects, prices.s3.per_gb_month)
    yield entry("DynamoDB", "GB-months with recovery", items, per_item_gb)


def standing(counts: Counts, design: Design, prices: Prices) -> Iterator[Entry]:
    """A metric costs for the hours in which it was sent; here it is sent in all."""
    hours, watch = prices.assumed.hours_per_month, prices.cloudwatch
    kms_requests = design.key_users * prices.assumed.kms_requests_per_user_hour * hours
    yield entry("Kinesis", "stream hours, on demand", hours, prices.kinesis.per_stream_hour)
    yield entry("CloudWatch", "alarms", design.alarms, watch.per_alarm_month)
    yield entry("CloudWatch", "metrics of our own", len(counts.metrics), watch.per_metric_month)
    yield entry("CloudWatch", "metrics asked of AWS", design.service_metrics, watch.per_metric_month)
    yield entry("CloudWatch", "dashboards", design.dashboards, watch.per_dashboard_month)
    yield entry("KMS", "requests for stream and tables", kms_requests, prices.kms.per_ten_thousand_requests / 1e4)


def free_of_cloudwatch(counts: Counts, design: Design, prices: Prices) -> float:
    """What an account that uses CloudWatch for nothing else does not pay of `standing`: the list has no free tier."""
    watch = prices.cloudwatch
    metrics = len(counts.metrics) + design.service_metrics
    return (
        min(design.alarms, watch.free_alarms) * watch.per_alarm_month
        + min(metrics, watch.free_metrics) * watch.per_metric_month
        + min(design.dashboards, watch.free_dashboards) * watch.per_dashboard_month
    )
