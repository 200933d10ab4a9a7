"""The report of a run: two example queries, one screen on the terminal, and report.json."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import TypedDict

import httpx
from pydantic import TypeAdapter, ValidationError
from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from invoices.money import money_text
from local_runtime.comparison import Comparison, Example, Expected, Stored
from local_runtime.messages import UploadSummary
from pipeline_ops.console import plural

_DATES = {"mdy": "read with the month first", "dmy": "read with the day first", "iso": "none has slashes"}
_SHOWN_LINES = 3
_SHOWN_REJECTS = 3
_SHOWN_CHARACTERS = 1_200  # an invoice of three lines, whole
_BYTES_PER_MB = 1_000_000


class ContractFigures(TypedDict):
    """The keys of report.json that tools outside this repository read."""

    rows_read: int
    accepted: int
    rejected: int
    raw_objects: int
    raw_rows: int
    invoices: int
    lines: int
    customers: int
    seconds: float


@dataclass(frozen=True)
class Report:
    figures: ContractFigures
    comparisons: list[Comparison]
    slices: int
    pointers: int
    rows_per_second: Mapping[str, float]
    peak_memory: Mapping[str, int]

    @property
    def is_equal(self) -> bool:
        return all(comparison.is_equal for comparison in self.comparisons)

    @property
    def is_success(self) -> bool:
        """A run in which no row was accepted proves nothing, although the stores hold what the CSV holds: nothing."""
        return self.is_equal and self.figures["accepted"] > 0


@dataclass(frozen=True)
class ExampleQuery:
    """`command` is what a user types for the same response; `text` is the response's JSON."""

    command: str
    path: str
    text: str
    comparisons: list[Comparison]


def contract_figures(summary: UploadSummary, stored: Stored, seconds: float) -> ContractFigures:
    return {
        "rows_read": summary.rows_read,
        "accepted": summary.accepted,
        "rejected": summary.rejected,
        "raw_objects": stored.raw_objects,
        "raw_rows": stored.raw_rows,
        "invoices": len(stored.tally.invoices),
        "lines": len(stored.tally.line_ids),
        "customers": stored.customers,
        "seconds": round(seconds, 3),
    }


def query_examples(expected: Expected, http: httpx.Client, python: str) -> list[ExampleQuery]:
    """Ask the API for the file's example invoice and customer, where it has them.

    `python` is the interpreter in the commands that the report shows.
    """
    examples = [("invoice", expected.invoice), ("customer", expected.customer)]
    return [_query(http, kind, example, python) for kind, example in examples if example]


def write_report(report: Report, path: Path) -> None:
    """Write the keys of the contract first. Tools may ignore the others."""
    content = {
        **report.figures,
        "agrees": report.is_success,
        "compared": {
            each.name: {"csv": _json_value(each.expected), "pipeline": _json_value(each.actual)}
            for each in report.comparisons
        },
        "slices": report.slices,
        "pointers": report.pointers,
        "rows_per_second": report.rows_per_second,
        "peak_memory_bytes": report.peak_memory,
    }
    path.write_text(json.dumps(content, indent=2) + "\n")


def show_report(console: Console, report: Report, queries: Iterable[ExampleQuery], path: Path) -> None:
    """`path` is the file that holds the same figures. A run without a row shows none, unless the stores differ."""
    if report.figures["rows_read"] or not report.is_equal:
        console.print(_comparison_table(report.comparisons))
        console.print(_summary_lines(report))
    for query in queries:
        console.print(_query_panel(query))
    console.print(f"{_result(report)}[/] (figures in {escape(str(path))})", highlight=False)


def _result(report: Report) -> str:
    if not report.is_equal:
        return "[red]✗ the stores differ"
    if not report.figures["rows_read"]:
        return "[red]✗ no row was sent, so there is nothing to compare"
    if not report.is_success:
        return f"[red]✗ 0 of {plural(report.figures['rows_read'], 'row')} were accepted, so there is nothing to compare"
    return "[green]✓ the stores hold exactly what the CSV holds"


def upload_remarks(summary: UploadSummary) -> list[str]:
    """How dates were read, what is special about the file, and why rows were rejected."""
    dates = [f"dates  {_DATES[summary.dates]}"] if summary.rows_read else []
    notes = [*dates, *(f"note  {each}" for each in summary.notes)]
    if summary.rejects_file is None:
        return notes
    reasons = (f"rejected  {each}" for each in rejection_reasons(Path(summary.rejects_file)))
    return [*notes, *reasons, f"the rejected rows and their reasons are in {summary.rejects_file}"]


def rejection_reasons(rejects: Path) -> list[str]:
    """A line for each field at fault, most rows first: how many rows, the first lines of the file, the reason."""
    groups: dict[str, list[dict[str, str]]] = defaultdict(list)
    with rejects.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            groups[row["field"]].append(row)
    return [
        f"{plural(len(rows), 'row')} ({_lines([row['line'] for row in rows])}): {rows[0]['reason']}"
        for _, rows in sorted(groups.items(), key=lambda group: -len(group[1]))
    ]


def _lines(numbers: Sequence[str]) -> str:
    more = " …" if len(numbers) > _SHOWN_REJECTS else ""
    return f"{'line' if len(numbers) == 1 else 'lines'} {', '.join(numbers[:_SHOWN_REJECTS])}{more}"


def figure_text(figure: int | Decimal) -> str:
    """Money with all of its decimals, at least two."""
    if isinstance(figure, int):
        return f"{figure:,}"
    whole, _, decimals = money_text(figure).partition(".")
    return f"{int(whole):,}.{decimals}" if int(whole) else f"{whole}.{decimals}"


@dataclass(frozen=True)
class _ComparedFields:
    """The fields of an invoice's or a customer's response that are compared."""

    line_count: int
    total: Decimal


_RESPONSE: TypeAdapter[_ComparedFields] = TypeAdapter(_ComparedFields)


def _query(http: httpx.Client, kind: str, example: Example, python: str) -> ExampleQuery:
    parameters = {"limit": _SHOWN_LINES} if kind == "invoice" else {}
    response = http.get(f"/{kind}s/{example.name}", params=parameters)
    is_too_large = response.status_code == HTTPStatus.CONFLICT  # it has more lines than the API reads for an answer
    return ExampleQuery(
        command=f"{python} -m client {kind} {example.name} --url {str(http.base_url).rstrip('/')}",
        path=str(response.request.url.raw_path, "ascii"),
        text=response.text,
        comparisons=[] if is_too_large else _compare_response(f"{kind} {example.name}", example, response),
    )


def _compare_response(name: str, example: Example, response: httpx.Response) -> list[Comparison]:
    try:
        found = _RESPONSE.validate_json(response.content)
    except ValidationError:
        return [Comparison(f"status of {name}", httpx.codes.OK.value, response.status_code)]
    return [
        Comparison(f"lines of {name}", example.lines, found.line_count),
        Comparison(f"total of {name}", example.amount, found.total),
    ]


def _json_value(figure: int | Decimal) -> int | str:
    """Money is text, never a float."""
    return figure if isinstance(figure, int) else format(figure, "f")


def _comparison_table(comparisons: Iterable[Comparison]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("in the CSV", justify="right")
    table.add_column("in the pipeline", justify="right")
    table.add_column("")
    for each in comparisons:
        mark = "[green]✓" if each.is_equal else "[red]✗"
        table.add_row(escape(each.name), figure_text(each.expected), figure_text(each.actual), mark)
    return table


def _summary_lines(report: Report) -> Group:
    objects, slices, pointers = report.figures["raw_objects"], report.slices, report.pointers
    speeds = (f"{label} {speed:,.0f}" for label, speed in report.rows_per_second.items())
    peaks = (f"{name} {size / _BYTES_PER_MB:,.0f}" for name, size in report.peak_memory.items())
    lines = [
        f"seconds until stored: {report.figures['seconds']:,.1f}",
        f"stored: raw objects {objects:,}, slices {slices:,}, pointers {pointers:,}",
        "rows/s: " + ", ".join(speeds),
    ]
    if report.peak_memory:
        lines.append("peak memory in MB: " + ", ".join(peaks))
    return Group(*lines)


def _query_panel(query: ExampleQuery) -> Panel:
    """The response on a few lines; an ellipsis marks where a long one is cut."""
    text = json.dumps(json.loads(query.text), ensure_ascii=False)
    shown = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + " …"
    return Panel(escape(shown), title=escape(f"GET {query.path}"), subtitle=escape(query.command), title_align="left")
