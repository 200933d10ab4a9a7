"""The findings as one table on the terminal, and as docs/benchmarks.md."""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from bench.finding import Finding

_MARKS = {True: "met", False: "NOT MET", None: ""}
_PACKAGES = (
    "boto3",
    "fastapi",
    "mangum",
    "pydantic",
    "pandas",
    "isal",
    "msgspec",
    "aws-lambda-powertools",
    "aws-kinesis-agg",
)


def show(console: Console, findings: Sequence[Finding]) -> None:
    table = Table(title="Measured side by side")
    for column in ("what", "goal", "measured", "", "note"):
        table.add_column(column)
    for each in findings:
        table.add_row(each.what, each.goal, each.measured, _MARKS[each.met], each.note)
    console.print(table)


def page(findings: Sequence[Finding], floors: str) -> str:
    """docs/benchmarks.md. `floors` says what stops us where a goal is not met."""
    rows = [f"| {each.what} | {each.goal} | {each.measured} | {_MARKS[each.met]} | {each.note} |" for each in findings]
    return "\n".join([*_head(), "| what | goal | measured | | note |", "|---|---|---|---|---|", *rows, "", floors])


def _head() -> list[str]:
    versions = ", ".join(f"{package} {version(package)}" for package in _PACKAGES)
    return [
        "# Benchmarks",
        "",
        f"`make bench` wrote this page on {datetime.now(tz=UTC):%Y-%m-%d}, on {_processor()} with Python",
        f"{platform.python_version()}: {versions}.",
        "",
        "Ratios with a range are of CPU time, sides in turns in one process: the median of the rounds, with quartiles.",
        "They hold from machine to machine; absolute times do not, least of all on a machine that is shared. Growth,",
        "memory, `make run` and queries are single runs (three of a middle slice), the last two of wall clock;",
        "the client of a row a request runs apart.",
        "Counts are of real calls, ended at botocore's wire. Nothing here was measured on AWS.",
        "",
        "![Cost and speed beside the rivals](benchmarks.svg)",
        "",
    ]


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:  # noqa: PTH123 - no file of ours
            names = {line.partition(":")[2].strip() for line in lines if line.startswith("model name")}
    except OSError:
        names = {platform.processor()}
    return ", ".join(sorted(names)) or platform.machine()
