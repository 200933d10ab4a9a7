"""The report for the eye: one screen."""

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from invoices.money import money_text
from local_runtime.report.figures import Comparison, Report
from local_runtime.report.queries import Query

_BYTES_PER_MB = 1_000_000
_SHOWN_CHARACTERS = 420


def show_report(console: Console, report: Report, queries: Iterable[Query], path: Path) -> None:
    console.print(comparison_table(report.comparisons))
    console.print(speed_table(report))
    for query in queries:
        console.print(query_panel(query))
    verdict = "[green]✓ the stores hold exactly what the CSV holds" if report.agrees else "[red]✗ the stores differ"
    console.print(f"{verdict}[/] (figures in {escape(str(path))})", highlight=False)


def comparison_table(comparisons: Iterable[Comparison]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("in the CSV", justify="right")
    table.add_column("in the pipeline", justify="right")
    table.add_column("")
    for each in comparisons:
        mark = "[green]✓" if each.agrees else "[red]✗"
        table.add_row(escape(each.name), figure_text(each.expected), figure_text(each.actual), mark)
    return table


def speed_table(report: Report) -> Group:
    speeds = (f"{label} {speed:,.0f}" for label, speed in report.rows_per_second.items())
    peaks = (f"{name} {size / _BYTES_PER_MB:,.0f}" for name, size in report.peak_memory.items())
    held = f"{report.contract['raw_objects']:,} raw objects, {report.slices:,} slices, {report.pointers:,} pointers"
    lines = [f"{report.contract['seconds']:,.1f} s for {held}", "rows/s: " + ", ".join(speeds)]
    if report.peak_memory:
        lines.append("peak memory in MB: " + ", ".join(peaks))
    return Group(*lines)


def query_panel(query: Query) -> Panel:
    """The answer on few lines; a list inside is cut short, and says so."""
    text = json.dumps(json.loads(query.text), ensure_ascii=False)
    shown = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + " …"
    return Panel(escape(shown), title=escape(f"GET {query.path}"), subtitle=escape(query.command), title_align="left")


def figure_text(figure: int | Decimal) -> str:
    """Money with all of its decimals, but at least two."""
    if isinstance(figure, int):
        return f"{figure:,}"
    whole, _, decimals = money_text(figure).partition(".")
    return f"{int(whole):,}.{decimals}" if int(whole) else f"{whole}.{decimals}"
