"""AWS's limits, as far as rows a second come near them. Compared with its documentation on 2026-11-22."""

from dataclasses import dataclass

from bench.template import template_default

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit: `limit` is what an account or a resource starts with, and where that is said."""

    name: str
    limit: float
    unit: str
    source: str


SHARD_BYTES = Quota(
    "a shard's input", 1 * MB, "B/s", 'Kinesis, "Quotas and limits": 1 MB/s and 1,000 records/s in each shard'
)
SHARD_RECORDS = Quota("a shard's records", 1_000, "records/s", "The same")
SHARD_READS = Quota("a shard's output", 2 * MB, "B/s", "The same: 2 MB/s for all consumers together")
NEW_STREAM = Quota(
    "a new on-demand stream",
    4 * MB,
    "B/s",
    "The same: 4 MB/s at first; later twice the highest load of the last 30 days",
)
ON_DEMAND_STREAM = Quota(
    "an on-demand stream",
    200 * MB,
    "B/s",
    "The same: 200 MB/s, but 10 GB/s in us-east-1, us-west-2 and eu-west-1",
)
NEW_TABLE_UNITS = Quota(
    "a new table's write units",
    4_000,
    "units/s",
    'DynamoDB, "Understanding warm throughput": on demand; here both tables against the limit of one',
)
TABLE_UNITS = Quota(
    "a table's write units",
    40_000,
    "units/s",
    'DynamoDB, "Quotas": a table on demand; here both tables against the limit of one',
)
GATEWAY = Quota(
    "gateway requests",
    10_000,
    "requests/s",
    'API Gateway, "Quotas": an account in a region, all its APIs together; 2,500 in some younger regions',
)
CONSUMER_TIME = Quota(
    "`to_dynamodb`'s time in a shard", 1, "s/s", "template.yaml: `ParallelizationFactor` 1, one run at a time"
)
CONCURRENCY = Quota(
    "concurrent executions", 1_000, "at once", 'Lambda, "Quotas": an account in a region; a new account has fewer'
)

QUOTAS = (
    SHARD_BYTES,
    SHARD_RECORDS,
    SHARD_READS,
    NEW_STREAM,
    ON_DEMAND_STREAM,
    NEW_TABLE_UNITS,
    TABLE_UNITS,
    GATEWAY,
    CONSUMER_TIME,
    CONCURRENCY,
)


def throttle() -> Quota:
    """Our own, before the gateway's."""
    limit = template_default("RequestsPerSecond")
    return Quota("`RequestsPerSecond`", limit, "requests/s", "template.yaml: our own limit, to be set")
