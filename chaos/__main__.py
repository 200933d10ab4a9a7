"""`python -m chaos`: `run` injects faults around the code, `defects` plants them in the code itself."""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chaos.mutants import run_mutants
from chaos.scenario import Result, run_seed
from chaos.stores import running_engine

_FOLDER = Path(".local/chaos")

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
    console, results = Console(soft_wrap=True, highlight=False), []
    with running_engine():
        for seed in range(first_seed, first_seed + seeds):
            results.append(result := run_seed(seed))
            _show(console, result)
            if log or result.findings:
                console.print(f"  its decisions: {_write_decisions(result)}")
    _show_totals(console, results)
    sys.exit(1 if any(result.findings for result in results) else 0)


@app.command()
def defects(
    only: Annotated[str | None, typer.Option(help="Plant only those with this in their name.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="So many at a time.")] = 2,
) -> None:
    """Plant each known defect in a copy of the tree and see whether the tests catch it. Exit code 1 if one slips."""
    sys.exit(0 if run_mutants(Console(soft_wrap=True), only, jobs) else 1)


def _show(console: Console, result: Result) -> None:
    ending = "BROKEN" if result.findings else "ok"
    console.print(f"seed {result.seed:>4}  severity {result.severity:<4g} {ending}: {_text(result.counts)}")
    for finding in result.findings:
        console.print(f"  {finding}", markup=False)


def _show_totals(console: Console, results: list[Result]) -> None:
    broken = sum(bool(result.findings) for result in results)
    table = Table("place and fault", "times", title=f"{len(results)} seeds, {broken} with a broken promise")
    faults = Counter(f"{each.place}: {each.fault}" for result in results for each in result.decisions)
    for name, times in sorted(faults.items()):
        table.add_row(name, f"{times:,}")
    console.print(table)
    sums = Counter[str]()
    for result in results:
        sums.update(result.counts)
    console.print(f"all seeds: {_text(sums)}")


def _text(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _write_decisions(result: Result) -> Path:
    """One JSON object a line, in the order of the decisions."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    path = _FOLDER / f"seed-{result.seed}.jsonl"
    path.write_text("".join(json.dumps(asdict(decision)) + "\n" for decision in result.decisions))
    return path


if __name__ == "__main__":
    app(prog_name="chaos")
