"""docs/capacity.md: which quota binds first at a load, and what to set."""

import math
from collections.abc import Iterator, Sequence

from bench import capacity
from bench.bill import READERS
from bench.capacity import LOADS, PerRow, Quota, Work, quotas, shards, shards_for_bytes, shards_for_time
from bench.designs import template_default
from bench.lake_capacity import lake_section
from bench.prices import Prices

_WHOLE = 100
"""From here on nobody needs a digit behind the point."""


def capacity_page(prices: Prices) -> str:
    rows = {batch_rows: capacity.generated_rows(batch_rows, prices) for batch_rows in sorted(set(LOADS.values()))}
    sections = (line for load, batch_rows in LOADS.items() for line in _section(load, rows[batch_rows], prices))
    return "\n".join([_head(list(rows.values())), *sections, *lake_section(prices), *_sources(), ""])


def _head(rows: Sequence[PerRow]) -> str:
    used = [
        f"| {row.batch_rows:,} | {row.rows_per_request:,g} | {row.stream_bytes:g} | {row.write_units:g} "
        f"| {row.counted_rows:,} |"
        for row in rows
    ]
    times = [
        f"| {name} | {row.batch_rows:,} | {_time(work)} |"
        for row in rows
        for name, work in (("API", row.api), ("`to_dynamodb`", row.to_dynamodb))
    ]
    lines = "\n".join
    return f"""# Capacity

Which quota binds first, and what to set: computed by `python -m bench capacity`; a test keeps the two equal.
What only AWS can show is unproven: the quotas are those of its documentation, and your account's may differ.

## What a row uses

Counted from generated rows through the real code. The client ends its requests between invoices.

| rows a request, at most | on average | bytes on the stream | write units, both tables | rows counted |
|---|---|---|---|---|
{lines(used)}

Lambda's time is computing and waiting, with the factor and the wait of the bill (`assumed` in bench/price_list.toml).
Calls are counted. CPU time a row is stated, somewhat above what a quiet machine measures, so that this page is the
same everywhere: docs/benchmarks.md has the measurements. `to_s3` makes one call a record and parses nothing, so it
needs less.

| function | rows a request | computing | waiting | together |
|---|---|---|---|---|
{lines(times)}"""


def _time(work: Work) -> str:
    computing = f"{work.cpu_microseconds:g} us x {work.cpu_factor:g} = {work.computing:g} us"
    waiting = f"{work.calls:g} calls x {work.microseconds_per_call / 1000:g} ms = {work.waiting:.1f} us"
    return f"{computing} | {waiting} | {work.microseconds:g} us"


def _section(load: int, row: PerRow, prices: Prices) -> Iterator[str]:
    found = capacity.tightest_first(load, row)
    yield from ("", f"## {load:,} rows a second, {row.batch_rows:,} a request", "")
    yield from ("| quota | asked | of | share |", "|---|---|---|---|")
    for quota in found:
        arithmetic, asked = quota.demand(load, row)
        asked_for = f"{arithmetic} = {_number(asked)} {quota.unit}"
        yield f"| {quota.name} | {asked_for} | {quota.limit:,.0f} | {quota.share(load, row):.2%} |"
    yield from ("", _verdict(found[0], found[0].share(load, row)), "", *_settings(load, row), _modes(load, row, prices))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE else f"{value:.3g}"


def _verdict(first: Quota, share: float) -> str:
    if share <= 1:
        return f"Nothing binds; {first.name} would be first, at {1 / share:.3g} times this load."
    return f"**{first.name[0].upper()}{first.name[1:]} binds first**, {share:.1f} times over."


def _settings(load: int, row: PerRow) -> Iterator[str]:
    units, requests = math.ceil(load * row.write_units), math.ceil(load / row.rows_per_request)
    throttle = template_default("RequestsPerSecond")
    yield (
        f"- `ShardCount` {shards(load, row)} if provisioned: {shards_for_bytes(load, row)} for the bytes "
        f"({load:,} x {row.stream_bytes:g} B x {READERS} consumers / 2 MB), {shards_for_time(load, row)} for "
        f"`to_dynamodb` ({load:,} x {row.to_dynamodb.microseconds:g} us), which runs once a shard at a time; "
        f"both times {capacity.CATCHING_UP}, so that consumers catch up after a pause."
    )
    yield from _parallelization(shards_for_bytes(load, row), shards_for_time(load, row))
    if load * row.stream_bytes > capacity.NEW_STREAM_BYTES:
        yield "- On demand, a load that at most doubles within a quarter of an hour: a new stream has to grow first."
    if units > capacity.NEW_TABLE_UNITS:
        yield f"- Warm throughput of {units:,} write units for the two tables together, before the load comes."
    if units > capacity.TABLE_UNITS:
        yield f"- A quota of more than {capacity.TABLE_UNITS:,.0f} write units a table, asked for in time."
    if requests > throttle:
        yield f"- `RequestsPerSecond` {2 * requests:,}."
    busy = load * row.api.microseconds / 1e6
    yield f"- `ApiConcurrency` {max(2, math.ceil(2 * busy))}: twice the {busy:.3g} that are busy at once."


def _parallelization(by_bytes: int, by_time: int) -> Iterator[str]:
    """On demand nobody sets the number of shards: it starts with four and grows with the bytes, to twice the load."""
    on_demand = max(capacity.NEW_STREAM_SHARDS, by_bytes)
    if by_time > by_bytes:
        factor = math.ceil(by_time / by_bytes)
        other = f"`ShardCount` {by_bytes} and `ParallelizationFactor` {factor}"
        yield f"- Or {other} for `to_dynamodb`: slices need no order."
    if by_time > on_demand:
        factor = math.ceil(by_time / on_demand)
        yield f"- On demand, `ParallelizationFactor` {factor}: shards grow with the bytes alone, to some {on_demand}."


def _modes(load: int, row: PerRow, prices: Prices) -> str:
    """Of a steady load, which is what one would choose by."""
    on_demand = capacity.on_demand_dollars(load, row, prices)
    provisioned = capacity.provisioned_dollars(shards(load, row), load, row, prices)
    gigabytes = capacity.gigabytes_a_month(load, row, prices)
    return (
        f"- `StreamMode`: at this load all month long ON_DEMAND costs {on_demand:,.0f} dollars "
        f"({gigabytes:,.0f} GB), PROVISIONED {provisioned:,.0f}."
    )


def _sources() -> Iterator[str]:
    yield from ("", "## Sources of the quotas", "", "Compared with copies of these pages on 2026-11-22.", "")
    for quota in quotas():
        yield f"- {quota.name}: {quota.limit:,.0f} {quota.unit}. {quota.source}."
