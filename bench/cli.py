"""The commands of `python -m bench`."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.bill import read_prices
from bench.capacity import capacity_page
from bench.cold_start import cold_start_findings
from bench.cost import cost_findings, our_bill, show_cost
from bench.findings import Finding, benchmarks_page, show
from bench.freshness import freshness_findings
from bench.lake import lake_findings
from bench.speed import client_findings, consumer_findings, ingest_findings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Measure the pipeline beside its alternatives.")

_Csv = Annotated[Path, typer.Option(help="A file of invoice rows.", exists=True, dir_okay=False)]


@app.command()
def cost(
    csv: _Csv,
    rows_per_month: Annotated[int, typer.Option(min=1, help="The volume of the bill.")] = 100_000_000,
    batch_rows: Annotated[int, typer.Option(min=1, max=10_000, help="Rows in a request.")] = 5_000,
) -> None:
    """Count a file's rows through the real code and print the monthly bill."""
    prices = read_prices()
    show_cost(Console(), our_bill(csv, prices, rows_per_month, batch_rows), prices)


@app.command()
def capacity() -> None:
    """Print docs/capacity.md, computed from generated rows."""
    typer.echo(capacity_page(read_prices()), nl=False)


@app.command()
def run(
    csv: _Csv,
    artifacts: Annotated[Path | None, typer.Option(help="Built functions, for the cold starts.")] = None,
    lambda_python: Annotated[str, typer.Option(help="The Python that compiled them.")] = "python3.13",
    out: Annotated[Path, typer.Option(help="Where benchmarks.md goes.")] = Path("docs"),
    section: Annotated[list[str] | None, typer.Option(help="Measure only this section, and write no page.")] = None,
) -> None:
    """Measure everything, in turns with the baselines."""
    sections: dict[str, Callable[[], Iterable[Finding]]] = {
        "cost": lambda: cost_findings(csv, read_prices()),
        "ingest": lambda: ingest_findings(csv),
        "consumers": lambda: consumer_findings(csv),
        "client": lambda: client_findings(csv),
        "cold-start": lambda: cold_start_findings(artifacts, lambda_python),
        "freshness": freshness_findings,
        "lake": lambda: lake_findings(csv),
    }
    if unknown := set(section or ()) - sections.keys():
        raise typer.BadParameter(f"no section is called {', '.join(unknown)}; there are {', '.join(sections)}")
    findings = [finding for name in section or sections for finding in sections[name]()]
    show(Console(), findings)
    if not section:
        out.mkdir(exist_ok=True)
        (out / "benchmarks.md").write_text(benchmarks_page(findings))
