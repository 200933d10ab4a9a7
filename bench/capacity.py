"""Which quota binds first at a load: arithmetic on what a counted run used per row."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bench import quotas
from bench.passing import READERS
from bench.per_row import PerRow
from bench.quotas import Quota, throttle

LOADS = {100: 100, 10_000: 5000, 1_000_000: 5000}
"""Rows a second, and rows a request. At 100 rows a second nobody waits 50 s for a full batch: a request a second."""

CATCHING_UP = 2
"""How many times as fast as rows come they can be read after a pause; a stream on demand keeps as much, too."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a load asks of a quota, how that is computed, and how much of the quota it takes."""

    quota: Quota
    arithmetic: str
    asked: float

    @property
    def share(self) -> float:
        return self.asked / self.quota.limit


def demands(load: int, row: PerRow) -> list[Demand]:
    """Of one load, the tightest first. A shard's limits are those of a stream of one shard."""
    found = [*_of_stream(load, row), *_of_tables(load, row), *_of_door(load, row), *_of_functions(load, row)]
    return sorted(found, key=lambda demand: -demand.share)


def shards(load: int, row: PerRow) -> int:
    """For the bytes, and for to_dynamodb's time."""
    return max(shards_for_bytes(load, row), shards_for_time(load, row))


def _of_stream(load: int, row: PerRow) -> Iterator[Demand]:
    by_bytes = f"{load:,} rows/s x {row.stream_bytes:g} B"
    for quota in (quotas.SHARD_BYTES, quotas.NEW_STREAM, quotas.ON_DEMAND_STREAM):
        yield Demand(quota, by_bytes, load * row.stream_bytes)
    read = load * row.stream_bytes * READERS
    yield Demand(quotas.SHARD_READS, f"{by_bytes} x {READERS} consumers", read)
    yield Demand(quotas.SHARD_RECORDS, *_requests(load, row))


def _of_tables(load: int, row: PerRow) -> Iterator[Demand]:
    for quota in (quotas.NEW_TABLE_UNITS, quotas.TABLE_UNITS):
        yield Demand(quota, f"{load:,} rows/s x {row.write_units:g} units", load * row.write_units)


def _of_door(load: int, row: PerRow) -> Iterator[Demand]:
    for quota in (quotas.GATEWAY, throttle()):
        yield Demand(quota, *_requests(load, row))


def _of_functions(load: int, row: PerRow) -> Iterator[Demand]:
    consumer, both = row.to_dynamodb.microseconds, row.api.microseconds + row.to_dynamodb.microseconds
    yield Demand(quotas.CONSUMER_TIME, f"{load:,} rows/s x {consumer:g} us", load * consumer / 1e6)
    yield Demand(quotas.CONCURRENCY, f"{load:,} rows/s x {both:g} us", load * both / 1e6)


def _requests(load: int, row: PerRow) -> tuple[str, float]:
    return f"{load:,} rows/s / {row.rows_per_request:,g} rows", load / row.rows_per_request


def shards_for_bytes(load: int, row: PerRow) -> int:
    """All consumers together read what a shard gives."""
    return math.ceil(load * row.stream_bytes * READERS * CATCHING_UP / quotas.SHARD_READS.limit)


def shards_for_time(load: int, row: PerRow) -> int:
    """to_dynamodb runs once a shard at a time."""
    return math.ceil(load * row.to_dynamodb.seconds * CATCHING_UP)
