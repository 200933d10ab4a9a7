"""What was measured, beside its goal: a table on the terminal, docs/benchmarks.md, and its chart."""

import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.ab_benchmark import Ratio

_MARKS = {True: "met", False: "NOT MET", None: ""}
_PACKAGES = ("boto3", "fastapi", "mangum", "pydantic", "pandas", "isal", "msgspec")
_WIDTH, _BAR, _GAP, _LEFT, _TOP = 760, 26, 12, 190, 44
_OURS, _OTHERS = "#1f6f5c", "#9aa5ab"


@dataclass(frozen=True, slots=True)
class Finding:
    """`met` is None where there is only a figure and no goal."""

    what: str
    goal: str
    measured: str
    met: bool | None
    note: str = ""


def at_least(what: str, ratio: Ratio, goal: float, note: str = "") -> Finding:
    return Finding(what, f">= {goal:g} x", f"{ratio} x", ratio.median >= goal, note)


def at_most(what: str, ratio: Ratio, goal: float, note: str = "") -> Finding:
    return Finding(what, f"<= {goal:g}", str(ratio), ratio.median <= goal, note)


def figure(what: str, measured: str, note: str = "") -> Finding:
    return Finding(what, "", measured, None, note)


def show(console: Console, findings: Sequence[Finding]) -> None:
    table = Table(title="Measured side by side")
    for column in ("what", "goal", "measured", "", "note"):
        table.add_column(column)
    for each in findings:
        table.add_row(each.what, each.goal, each.measured, _MARKS[each.met], each.note)
    console.print(table)


def benchmarks_page(findings: Sequence[Finding]) -> str:
    """docs/benchmarks.md. bench/remarks.md says why a goal is not met, and what was measured once."""
    versions = ", ".join(f"{package} {version(package)}" for package in _PACKAGES)
    rows = [f"| {each.what} | {each.goal} | {each.measured} | {_MARKS[each.met]} | {each.note} |" for each in findings]
    return f"""# Benchmarks

`make bench` wrote this page on {datetime.now(tz=UTC):%Y-%m-%d}, on {_processor()} with Python
{platform.python_version()}: {versions}.

A ratio with a range compares CPU time; both sides take turns in one process. It is the median of the rounds, with
quartiles. Such ratios hold from machine to machine; absolute times do not, least of all on a shared machine.
`make run`, freshness and the questions to the lake are timed by the wall clock, the first two once.
Counts are of real calls that end at botocore's wire. Nothing here was measured on AWS.

![Cost and speed beside the baselines](benchmarks.svg)

| what | goal | measured | | note |
|---|---|---|---|---|
{chr(10).join(rows)}

{Path(__file__).with_name("remarks.md").read_text()}"""


def benchmarks_chart(cost: Mapping[str, float], speed: Mapping[str, float]) -> str:
    """Two bar charts in one SVG, on logarithmic scales. The first bar of each is ours."""
    charts = [
        ("Dollars per million rows (list prices; less is better; logarithmic)", cost, "{:,.2f} $"),
        ("Rows a second of one core, request to both stores (more is better; logarithmic)", speed, "{:,.0f}"),
    ]
    parts, top = [], 0
    for title, bars, form in charts:
        parts.append(_chart(title, bars, form, top))
        top += _TOP + len(bars) * (_BAR + _GAP) + _GAP
    size = f'viewBox="0 0 {_WIDTH} {top}" font-family="sans-serif" font-size="14"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    return "\n".join([head, f'<rect width="{_WIDTH}" height="{top}" fill="#ffffff"/>', *parts, "</svg>", ""])


def _chart(title: str, bars: Mapping[str, float], form: str, top: int) -> str:
    lines = [f'<text x="10" y="{top + 26}" font-weight="bold">{escape(title)}</text>']
    least, most = (math.log10(pick(bars.values())) for pick in (min, max))
    least -= 0.3
    for place, (name, value) in enumerate(bars.items()):
        y = top + _TOP + place * (_BAR + _GAP)
        width = (math.log10(value) - least) / (most - least) * (_WIDTH - _LEFT - 130)
        colour = _OTHERS if place else _OURS
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 18}" text-anchor="end">{escape(name)}</text>')
        lines.append(f'<rect x="{_LEFT}" y="{y}" width="{width:.0f}" height="{_BAR}" rx="3" fill="{colour}"/>')
        lines.append(f'<text x="{_LEFT + width + 8:.0f}" y="{y + 18}">{form.format(value)}</text>')
    return "\n".join(lines)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = {line.partition(":")[2].strip() for line in lines if line.startswith("model name")}
    return ", ".join(sorted(names)) or platform.processor() or platform.machine()
