"""The lake's part of docs/capacity.md: how many lines a month may have, what its rewriting costs, what takes over."""

from collections.abc import Iterator

from bench.bill import DAYS_PER_MONTH
from bench.designs import REFRESH, function_limits
from bench.prices import Prices

# What each line of a month takes when a batch is added to it. Stated, above the measured months of 0.5, 2 and 5 million
# lines (docs/benchmarks.md), so that the page is the same on each machine. A data file has some 9 bytes a line: two of
# them lie on the disk, and one at a time is in memory while it is received or sent.
_CPU_MICROSECONDS = 3.0
_DISK_BYTES, _MEMORY_BYTES = 20, 10
_MEMORY_MB = 500  # of a refresh without the data file

_RESERVE = 2
"""The month may need this fraction of what the function has: a refresh has other months and new rows, too."""

_MB, _HOURS_PER_DAY, _DAY_SECONDS = 1_000_000, 24, 86_400
_SECONDS = {"month": DAYS_PER_MONTH * _DAY_SECONDS, "day": _DAY_SECONDS, "hour": 3_600}
_LOADS = (1, 10, 100, 1_000, 10_000, 1_000_000)


def lake_section(prices: Prices) -> Iterator[str]:
    limits = _limits(prices)
    most = min(lines for _, _, lines in limits)
    yield from ("", "## The lake: lines a month", "", _RULE, "")
    yield from ("| bound by | arithmetic | lines of a month |", "|---|---|---|")
    for what, arithmetic, lines in limits:
        yield f"| {what} | {arithmetic} | {lines / _MB:,.0f} million |"
    yield from ("", f"So a month becomes too large at {most / _MB:,.0f} million lines:", "")
    yield from (
        "| rows a second | lines a month | a day | an hour | the largest partition that fits |",
        "|---" * 5 + "|",
    )
    for load in _LOADS:
        counts = {name: load * seconds for name, seconds in _SECONDS.items()}
        fits = next((name for name, count in counts.items() if count <= most), "none")
        yield f"| {load:,} | {' | '.join(f'{count:,}' for count in counts.values())} | {fits} |"
    yield from ("", _BEYOND, "", *_rewriting(prices))


_RULE = """\
A refresh writes each month that it touches anew, so its needs grow with the month. CPU time, disk and memory of a line
are stated, above what was measured with up to 5 million lines (docs/benchmarks.md); beyond, they are extrapolated. A
month may take half of what the function has."""

_BEYOND = """\
What takes over, in this order. The table is partitioned by month; only the first step can be taken today, the others
were not built.

- A larger `MemorySize` and `EphemeralStorage` of `ToLakeFunction`, up to 10,240 MB each.
- A partition by day instead of month: the same union, a thirtieth of its size.
- A partition by hour; then a writer that spreads one union over several machines, such as Spark's MERGE INTO on the
  same table. The archive and the queue stay as they are."""


def _limits(prices: Prices) -> list[tuple[str, str, float]]:
    limits, factor = function_limits(REFRESH), prices.assumed("lambda_cpu_factor")
    micros, memory = _CPU_MICROSECONDS * factor, limits.megabytes - _MEMORY_MB
    cpu = f"{limits.seconds} s / {_RESERVE} / ({_CPU_MICROSECONDS:g} us x {factor:g})"
    disk = f"{limits.disk_megabytes:,} MB / {_RESERVE} / {_DISK_BYTES} B"
    kept = f"({limits.megabytes:,} - {_MEMORY_MB}) MB / {_RESERVE} / {_MEMORY_BYTES} B"
    return [
        ("time", cpu, limits.seconds / _RESERVE / micros * 1e6),
        ("disk", disk, limits.disk_megabytes * _MB / _RESERVE / _DISK_BYTES),
        ("memory", kept, memory * _MB / _RESERVE / _MEMORY_BYTES),
    ]


def _rewriting(prices: Prices) -> Iterator[str]:
    """Where rows come evenly, a partition is half full on average when it is written, at any load."""
    gigabytes = function_limits(REFRESH).megabytes / 1024
    micros = _CPU_MICROSECONDS * prices.assumed("lambda_cpu_factor")
    dollars = micros * gigabytes * prices["lambda.per_gb_second"]  # of a million lines, which take `micros` seconds
    yield "Where rows come evenly, each refresh rewrites a half-full partition. A row costs the same at any load:"
    yield from ("", "| partition | `LakeRefresh` | a row is rewritten | dollars per million rows |", "|---" * 4 + "|")
    hourly = {"month": DAYS_PER_MONTH * _HOURS_PER_DAY, "day": _HOURS_PER_DAY}
    for partition, schedule, refreshes in (
        ("month", "rate(1 hour), the default", hourly["month"]),
        ("month", "rate(1 day)", DAYS_PER_MONTH),
        ("day", "rate(1 hour)", hourly["day"]),
    ):
        times = refreshes / 2
        yield f"| {partition} | {schedule} | {times:g} times | {times * dollars:.4f} |"
