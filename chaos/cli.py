"""The command line: `run` breaks the world around the code, `defects` the code itself."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from chaos.defects.run import run_defects
from chaos.engine import running_engine
from chaos.report import Totals, show_result, show_totals, write_decisions
from chaos.seed import run_seed
from chaos.stores import environment

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
def run(
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to run.")] = 20,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of them; the others follow.")] = 1,
    log: Annotated[bool, typer.Option("--log", help="Write every decision to .local/chaos.")] = False,  # noqa: FBT002
) -> None:
    """Send a file through the whole pipeline once for each seed, with that seed's faults, and account for every row.

    Exit code 1 if one promise was broken in one seed.
    """
    console, totals = Console(soft_wrap=True), Totals()
    with running_engine() as variables, environment(variables):
        for seed in range(first_seed, first_seed + seeds):
            result = run_seed(seed)
            totals.add(result)
            show_result(console, result)
            if log or result.findings:
                console.print(f"  its decisions: {write_decisions(result)}")
    show_totals(console, totals)
    sys.exit(1 if totals.broken else 0)


@app.command()
def defects(
    only: Annotated[str | None, typer.Option(help="Plant only those with this in their name.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="So many at a time.")] = 2,
) -> None:
    """Plant each known defect in a copy of the tree and see whether the tests catch it. Exit code 1 if one slips."""
    sys.exit(0 if run_defects(Console(soft_wrap=True), only, jobs) else 1)
