"""The page on capacity: what binds first, and what to set."""

import math
from collections.abc import Iterator, Sequence

from bench import quotas
from bench.capacity import CATCHING_UP, LOADS, Demand, demands, shards, shards_for_bytes, shards_for_time
from bench.passing import READERS
from bench.per_row import PerRow, Work, generated_rows
from bench.prices import Prices
from bench.quotas import throttle
from bench.stream_modes import gigabytes_a_month, on_demand_dollars, provisioned_dollars

_WHOLE = 100
"""From here on nobody needs a figure behind the point."""

_FIRST_SHARDS = int(quotas.NEW_STREAM.limit / quotas.SHARD_BYTES.limit)


def capacity_page(prices: Prices) -> str:
    """docs/capacity.md."""
    rows = {batch_rows: generated_rows(batch_rows, prices.assumed) for batch_rows in sorted(set(LOADS.values()))}
    sections = (line for load, batch_rows in LOADS.items() for line in _section(load, rows[batch_rows], prices))
    return "\n".join([*_head(list(rows.values())), *sections, *_sources(), ""])


def _head(rows: Sequence[PerRow]) -> Iterator[str]:
    yield from (
        "# Capacity",
        "",
        "Which quota binds first, and what to set: computed by `python -m bench capacity`; a test keeps the two equal.",
        "What only AWS can show is unproven: the quotas are those of its documentation, and your account's may differ.",
        "",
        "## What a row takes",
        "",
        "Counted from generated rows through the real code. The client ends its requests between invoices.",
        "",
        "| rows a request, at most | on average | bytes on the stream | write units, both tables | rows counted |",
        "|---|---|---|---|---|",
    )
    for row in rows:
        sizes = f"{row.stream_bytes:g} | {row.write_units:g} | {row.counted_rows:,}"
        yield f"| {row.batch_rows:,} | {row.rows_per_request:,g} | {sizes} |"
    yield from _times(rows)


def _times(rows: Sequence[PerRow]) -> Iterator[str]:
    yield from (
        "",
        "Lambda's time is computing and waiting, with the factor and the wait that the bill is made with",
        "(`assumed` in bench/price_list.toml). Calls are counted; CPU a row is stated, somewhat above what a quiet",
        "machine measures, so that this page is the same everywhere: docs/benchmarks.md has the measurements.",
        "`to_s3` makes one call a record and parses nothing, so it needs less.",
        "",
        "| function | rows a request | computing | waiting | together |",
        "|---|---|---|---|---|",
    )
    for row in rows:
        yield f"| API | {row.batch_rows:,} | {_shown(row.api)} |"
        yield f"| `to_dynamodb` | {row.batch_rows:,} | {_shown(row.to_dynamodb)} |"


def _shown(work: Work) -> str:
    computing = f"{work.cpu_microseconds:g} us x {work.cpu_factor:g} = {work.computing:g} us"
    waiting = f"{work.calls:g} calls x {work.microseconds_per_call / 1000:g} ms = {work.waiting:.1f} us"
    return f"{computing} | {waiting} | {work.microseconds:g} us"


def _section(load: int, row: PerRow, prices: Prices) -> Iterator[str]:
    found = demands(load, row)
    yield from ("", f"## {load:,} rows a second, {row.batch_rows:,} a request", "")
    yield from ("| quota | asked | of | share |", "|---|---|---|---|")
    for demand in found:
        asked = f"{demand.arithmetic} = {_number(demand.asked)} {demand.quota.unit}"
        yield f"| {demand.quota.name} | {asked} | {demand.quota.limit:,.0f} | {demand.share:.2%} |"
    yield from ("", _verdict(found[0]), "", *_settings(load, row), *_modes(load, row, prices))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE else f"{value:.3g}"


def _verdict(first: Demand) -> str:
    name = first.quota.name
    if first.share <= 1:
        return f"Nothing binds; {name} would be first, at {1 / first.share:.3g} times this load."
    return f"**{name[0].upper()}{name[1:]} binds first**, {first.share:.1f} times over."


def _settings(load: int, row: PerRow) -> Iterator[str]:
    units, requests = math.ceil(load * row.write_units), math.ceil(load / row.rows_per_request)
    yield (
        f"- `ShardCount` {shards(load, row)} if provisioned: {shards_for_bytes(load, row)} for the bytes "
        f"({load:,} x {row.stream_bytes:g} B x {READERS} consumers / 2 MB), {shards_for_time(load, row)} for "
        f"`to_dynamodb` ({load:,} x {row.to_dynamodb.microseconds:g} us), which runs once a shard at a time; "
        f"both times {CATCHING_UP}, so that consumers catch up after a pause."
    )
    yield from _more_runs(shards_for_bytes(load, row), shards_for_time(load, row))
    if load * row.stream_bytes > quotas.NEW_STREAM.limit:
        yield "- On demand, a load that at most doubles within a quarter of an hour: a new stream has to grow first."
    if units > quotas.NEW_TABLE_UNITS.limit:
        yield f"- Warm throughput of {units:,} write units for the two tables together, before the load comes."
    if units > quotas.TABLE_UNITS.limit:
        yield f"- A quota of more than {quotas.TABLE_UNITS.limit:,.0f} write units a table, asked for in time."
    if requests > throttle().limit:
        yield f"- `RequestsPerSecond` {2 * requests:,}."
    busy = load * row.api.seconds
    yield f"- `ApiConcurrency` {max(2, math.ceil(2 * busy))}: twice the {busy:.3g} that are busy at once."


def _more_runs(by_bytes: int, by_time: int) -> Iterator[str]:
    """On demand nobody sets the number of shards: it starts with four and grows with the bytes, to twice the load."""
    on_demand = max(_FIRST_SHARDS, by_bytes)
    if by_time > by_bytes:
        factor = math.ceil(by_time / by_bytes)
        other = f"`ShardCount` {by_bytes} and `ParallelizationFactor` {factor}"
        yield f"- Or {other} for `to_dynamodb`: slices need no order."
    if by_time > on_demand:
        factor = math.ceil(by_time / on_demand)
        yield f"- On demand, `ParallelizationFactor` {factor}: shards grow with the bytes alone, to some {on_demand}."


def _modes(load: int, row: PerRow, prices: Prices) -> Iterator[str]:
    """A steady load's: what one would choose by."""
    on_demand, provisioned = (
        on_demand_dollars(load, row, prices),
        provisioned_dollars(shards(load, row), load, row, prices),
    )
    yield (
        f"- `StreamMode`: at this load all month long ON_DEMAND costs {on_demand:,.0f} dollars "
        f"({gigabytes_a_month(load, row, prices):,.0f} GB), PROVISIONED {provisioned:,.0f}."
    )


def _sources() -> Iterator[str]:
    yield from ("", "## Sources of the quotas", "", "Compared with copies of these pages on 2026-11-22.", "")
    for quota in (*quotas.QUOTAS, throttle()):
        yield f"- {quota.name}: {quota.limit:,.0f} {quota.unit}. {quota.source}."
