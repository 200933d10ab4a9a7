"""The commands of `python -m bench`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.capacity_page import capacity_page
from bench.cost import our_cost, rival_costs, show_comparison, show_cost
from bench.prices import read_prices

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The pipeline measured beside its rivals.")

_Csv = Annotated[Path, typer.Option(help="A file of invoice rows.", exists=True, dir_okay=False)]
_BatchRows = Annotated[int, typer.Option(min=1, max=10_000, help="Rows in a request.")]


@app.command()
def cost(
    csv: _Csv,
    rows_per_month: Annotated[int, typer.Option(min=1, help="The volume of the bill.")] = 100_000_000,
    batch_rows: _BatchRows = 5000,
    rivals: Annotated[bool, typer.Option(help="Count the rivals on the same rows, too; takes minutes.")] = False,  # noqa: FBT002 - typer's way of a flag
) -> None:
    """Count a file's rows through the real code and print the monthly bill."""
    console, prices = Console(), read_prices()
    ours = our_cost(csv, batch_rows, prices, rows_per_month)
    show_cost(console, ours, prices, rows_per_month)
    if rivals:
        show_comparison(console, [ours, *rival_costs(csv, prices, rows_per_month)], rows_per_month)


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
    quick: Annotated[bool, typer.Option(help="Leave out growth and memory.")] = False,  # noqa: FBT002 - typer's way of a flag
) -> None:
    """Measure everything, in turns with the rivals."""
    from bench.everything import measure, plotted  # noqa: PLC0415 - it imports rivals that only .venv-bench has
    from bench.report import page, show  # noqa: PLC0415 - same

    costs, findings = measure(csv, artifacts, lambda_python, quick=quick)
    show(Console(), findings)
    out.mkdir(exist_ok=True)
    floors = Path(__file__).with_name("floors.md").read_text()
    (out / "benchmarks.md").write_text(page(findings, floors))
    (out / "benchmarks.svg").write_text(plotted(costs))


@app.callback()
def main() -> None:
    """The pipeline measured beside what a user would otherwise have."""
