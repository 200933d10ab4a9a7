"""The commands of `python -m bench`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
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
from bench.loopback import loopback_server
from bench.prices import read_prices
from bench.queries import query_findings
from bench.rows import PostedBatch, posted_batches
from bench.whole_run import whole_run_findings
from bench.wire import set_environment

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


@dataclass(frozen=True, slots=True)
class _Inputs:
    csv: Path
    artifacts: Path | None
    lambda_python: str


def _cost(inputs: _Inputs) -> list[Finding]:
    ours, *baselines = _costs(inputs.csv)
    return cost_findings(ours, baselines)


@cache
def _costs(csv: Path) -> list[CostedDesign]:
    """Ours first, each for a million rows."""
    prices = read_prices()
    return [our_cost(csv, prices, MILLION), *baseline_costs(csv, prices, MILLION)]


def _ingest(inputs: _Inputs) -> list[Finding]:
    with _aws_on_loopback():
        return ingest_findings(_batches(inputs.csv, 500, 2), _batches(inputs.csv, 5_000, 1)[0])


def _consumers(inputs: _Inputs) -> list[Finding]:
    with _aws_on_loopback():
        return consumer_findings(_batches(inputs.csv, 500, 12), _batches(inputs.csv, 5_000, 6))


def _client(inputs: _Inputs) -> list[Finding]:
    with _aws_on_loopback() as url:
        return client_findings(inputs.csv, url)


def _memory(inputs: _Inputs) -> list[Finding]:
    with _aws_on_loopback() as url:
        return memory_findings(inputs.csv, url)


def _cold_start(inputs: _Inputs) -> list[Finding]:
    return cold_start_findings(inputs.artifacts.resolve(), inputs.lambda_python) if inputs.artifacts else []


def _growth(inputs: _Inputs) -> list[Finding]:
    return growth_findings(inputs.csv, read_prices())


def _whole_run(inputs: _Inputs) -> list[Finding]:
    return whole_run_findings(inputs.csv)


def _freshness(_: _Inputs) -> list[Finding]:
    return freshness_findings()


def _queries(inputs: _Inputs) -> list[Finding]:
    batches = list(posted_batches(inputs.csv, 5_000))
    row = batches[0].objects()[0]
    return query_findings(batches, row["InvoiceNo"], row["CustomerID"])


def _lake(inputs: _Inputs) -> list[Finding]:
    return lake_findings(inputs.csv)


_SECTIONS: Mapping[str, Callable[[_Inputs], list[Finding]]] = {
    "cost": _cost,
    "ingest": _ingest,
    "consumers": _consumers,
    "client": _client,
    "memory": _memory,
    "cold-start": _cold_start,
    "growth": _growth,
    "whole-run": _whole_run,
    "queries": _queries,
    "freshness": _freshness,
    "lake": _lake,
}


@contextmanager
def _aws_on_loopback() -> Iterator[str]:
    with loopback_server() as url:
        set_environment(url)
        yield url


def _batches(csv: Path, rows: int, count: int) -> list[PostedBatch]:
    return list(islice(posted_batches(csv, rows), count))


def _chart(costs: list[CostedDesign]) -> str:
    """Speed is that of one core which does the work of all functions, without waiting."""
    cost = {each.design.name: each.per_million for each in costs}
    speed = {each.design.name: each.counts.rows / sum(each.counts.cpu_seconds.values()) for each in costs}
    return benchmarks_chart(cost, speed)
