"""What a steady load's stream costs a month, on demand and provisioned."""

import math

from bench.counts import PAYLOAD_UNIT_BYTES
from bench.entries import DAYS_PER_MONTH, GB
from bench.passing import READERS
from bench.per_row import PerRow
from bench.prices import Prices
from bench.template import template_default

_SECONDS_PER_HOUR = 3600


def gigabytes_a_month(load: int, row: PerRow, prices: Prices) -> float:
    return load * row.stream_bytes * prices.assumed.hours_per_month * _SECONDS_PER_HOUR / GB


def on_demand_dollars(load: int, row: PerRow, prices: Prices) -> float:
    """By the stream's hour, and by the gigabyte that comes in, goes out to each reader and is kept after a day."""
    price = prices.kinesis
    months_kept = (template_default("StreamRetentionHours") / 24 - 1) / DAYS_PER_MONTH
    by_gigabyte = price.per_gb_in + READERS * price.per_gb_out + price.per_gb_month_extended_retention * months_kept
    return prices.assumed.hours_per_month * price.per_stream_hour + gigabytes_a_month(load, row, prices) * by_gigabyte


def provisioned_dollars(shards: int, load: int, row: PerRow, prices: Prices) -> float:
    """By the shard's hour, twice because what it keeps after a day costs by the hour, too, and by the record."""
    price, hours = prices.kinesis_provisioned, prices.assumed.hours_per_month
    by_shard = hours * (price.per_shard_hour + price.per_shard_hour_extended_retention)
    units_a_record = math.ceil(row.rows_per_request * row.stream_bytes / PAYLOAD_UNIT_BYTES)
    records = load / row.rows_per_request * hours * _SECONDS_PER_HOUR
    return shards * by_shard + records * units_a_record * price.per_million_payload_units / 1e6
