"""What was measured, beside its goal: a table on the terminal, and docs/benchmarks.md."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.ab_benchmark import Ratio

_MARKS = {True: "met", False: "NOT MET", None: ""}
_PACKAGES = ("boto3", "fastapi", "mangum", "pydantic", "pandas", "isal")


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


def at_most(what: str, measured: float, goal: float, form: str = "{:.1f}", note: str = "") -> Finding:
    return Finding(what, f"<= {goal:,g}", form.format(measured), measured <= goal, note)


def figure(what: str, measured: str, note: str = "") -> Finding:
    return Finding(what, "", measured, None, note)


def show(console: Console, findings: Sequence[Finding]) -> None:
    table = Table("what", "goal", "measured", "", "note", title="Measured side by side")
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
Freshness and the questions to the lake are timed by the wall clock, the first once.
Counts are of real calls that end at botocore's wire. Nothing here was measured on AWS.

| what | goal | measured | | note |
|---|---|---|---|---|
{chr(10).join(rows)}

{Path(__file__).with_name("remarks.md").read_text()}"""


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = {line.partition(":")[2].strip() for line in lines if line.startswith("model name")}
    return ", ".join(sorted(names)) or platform.processor() or platform.machine()
