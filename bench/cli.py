"""The commands of `python -m bench`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.capacity_page import capacity_page
from bench.client import client_findings, memory_findings
from bench.cold_start import cold_start_findings
from bench.consumers import consumer_findings
from bench.cost import (
    MILLION,
    CostedDesign,
    baseline_costs,
    cost_findings,
    our_cost,
    show_comparison,
    show_cost,
    show_sizes,
)
from bench.findings import Finding, benchmarks_chart, benchmarks_page, show
from bench.freshness import freshness_findings
from bench.growth import growth_findings
from bench.ingest import ingest_findings
from bench.lake import lake_findings
from bench.prices import read_prices
from bench.queries import query_findings
from bench.whole_run import whole_run_findings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Measure the pipeline beside its alternatives.")

_Csv = Annotated[Path, typer.Option(help="A file of invoice rows.", exists=True, dir_okay=False)]
_BatchRows = Annotated[int, typer.Option(min=1, max=10_000, help="Rows in a request.")]


@app.command()
def cost(
    csv: _Csv,
    rows_per_month: Annotated[int, typer.Option(min=1, help="The volume of the bill.")] = 100_000_000,
    batch_rows: _BatchRows = 5_000,
    baselines: Annotated[bool, typer.Option(help="Count the baselines on the same rows, too; takes minutes.")] = False,  # noqa: FBT002 - typer's way of a flag
) -> None:
    """Count a file's rows through the real code and print the monthly bill."""
    console, prices = Console(), read_prices()
    ours = our_cost(csv, prices, rows_per_month, batch_rows)
    show_cost(console, ours, prices)
    show_sizes(console, ours, prices)
    if baselines:
        show_comparison(console, [ours, *baseline_costs(csv, prices, rows_per_month)])


@app.command()
def capacity(
    out: Annotated[Path | None, typer.Option(help="Write the page here instead of to the terminal.")] = None,
) -> None:
    """Compute docs/capacity.md from generated rows."""
    text = capacity_page(read_prices())
    if out:
        out.write_text(text)
    else:
        typer.echo(text, nl=False)


@app.command()
def run(
    csv: _Csv,
    artifacts: Annotated[Path | None, typer.Option(help="Built functions, for the cold starts.")] = None,
    lambda_python: Annotated[str, typer.Option(help="The Python that compiled them.")] = "python3.13",
    out: Annotated[Path, typer.Option(help="Where benchmarks.md and benchmarks.svg go.")] = Path("docs"),
    section: Annotated[list[str] | None, typer.Option(help="Measure only this section, and write no page.")] = None,
) -> None:
    """Measure everything, in turns with the baselines."""
    if unknown := set(section or ()) - _SECTIONS.keys():
        raise typer.BadParameter(f"no section is called {', '.join(unknown)}; there are {', '.join(_SECTIONS)}")
    inputs = _Inputs(csv, artifacts, lambda_python)
    findings = [finding for name in section or _SECTIONS for finding in _SECTIONS[name](inputs)]
    show(Console(), findings)
    if not section:
        out.mkdir(exist_ok=True)
        (out / "benchmarks.md").write_text(benchmarks_page(findings))
        (out / "benchmarks.svg").write_text(_chart(_costs(csv)))


@cache
def _costs(csv: Path) -> tuple[CostedDesign, ...]:
    """Ours first, each for a million rows."""
    prices = read_prices()
    return our_cost(csv, prices, MILLION), *baseline_costs(csv, prices, MILLION)


@dataclass(frozen=True, slots=True)
class _Inputs:
    csv: Path
    artifacts: Path | None
    lambda_python: str


_SECTIONS: Mapping[str, Callable[[_Inputs], Iterable[Finding]]] = {
    "cost": lambda inputs: cost_findings(*_costs(inputs.csv)),
    "ingest": lambda inputs: ingest_findings(inputs.csv),
    "consumers": lambda inputs: consumer_findings(inputs.csv),
    "client": lambda inputs: client_findings(inputs.csv),
    "memory": lambda inputs: memory_findings(inputs.csv),
    "cold-start": lambda inputs: cold_start_findings(inputs.artifacts, inputs.lambda_python),
    "growth": lambda inputs: growth_findings(inputs.csv),
    "whole-run": lambda inputs: whole_run_findings(inputs.csv),
    "queries": lambda inputs: query_findings(inputs.csv),
    "freshness": lambda _: freshness_findings(),
    "lake": lambda inputs: lake_findings(inputs.csv),
}


def _chart(costs: Sequence[CostedDesign]) -> str:
    """Speed is that of one core which does the work of all functions, without waiting."""
    cost = {each.design.name: each.per_million for each in costs}
    speed = {each.design.name: each.counts.rows / sum(each.counts.cpu_seconds.values()) for each in costs}
    return benchmarks_chart(cost, speed)
