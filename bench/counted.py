"""The goals that are counted, not timed: dollars, write units, calls, payload units."""

from collections.abc import Sequence

from bench.bill import dollars
from bench.cost import Costed
from bench.finding import Finding, figure

_MOST_DOLLARS = 0.10
_LEAST_TIMES = 100
_MOST_WRITE_UNITS = 155_000
_MOST_CALLS = 4_500
_MOST_PAYLOAD_UNITS = 2_000


def counted_findings(ours: Costed, rivals: Sequence[Costed]) -> list[Finding]:
    """All were counted on the same rows; their bills are for a million."""
    counts = ours.counts
    rows = f"{counts.rows:,} rows"
    cost = dollars(ours.bill.passing)
    findings = [
        Finding(f"dollars per million rows, {rows}", f"<= {_MOST_DOLLARS}", f"{cost:.4f}", cost <= _MOST_DOLLARS),
        _most("write units per million rows", counts.per_million(counts.write_units), _MOST_WRITE_UNITS),
        _most("calls to AWS per million rows", counts.per_million(counts.all_calls), _MOST_CALLS),
        _most("PUT payload units per million rows", counts.per_million(counts.payload_units), _MOST_PAYLOAD_UNITS),
        figure("bytes a row on the stream", f"{counts.stream_bytes / counts.rows:.1f}"),
        figure("dollars a month standing, and keeping a million rows", _other(ours)),
    ]
    return [*findings, *(_rival(rival, cost) for rival in rivals)]


def _most(what: str, counted: float, goal: int) -> Finding:
    return Finding(what, f"<= {goal:,}", f"{counted:,.0f}", counted <= goal)


def _other(ours: Costed) -> str:
    return f"{dollars(ours.bill.standing):.2f} and {dollars(ours.bill.keeping):.3f}"


def _rival(rival: Costed, cost: float) -> Finding:
    theirs = dollars(rival.bill.passing)
    times = theirs / cost
    units = rival.counts.per_million(rival.counts.write_units)
    note = f"{units:,.0f} write units, {rival.counts.per_million(rival.counts.all_calls):,.0f} calls"
    is_original = rival.design.gateway == "REST API"
    goal, met = (f">= {_LEAST_TIMES} x ours", times >= _LEAST_TIMES) if is_original else ("", None)
    return Finding(f"dollars per million rows, {rival.design.name}", goal, f"{theirs:.2f} = {times:.0f} x", met, note)
