"""What a run of seeds says: a line for each, and the account of all."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chaos.seed import Result

_FOLDER = Path(".local/chaos")
_SUMMED = ("uploads", "rows", "rejected", "lines", "batches", "foreign", "raw_objects", "set_aside", "crashes")


@dataclass(slots=True)
class Totals:
    """`broken` counts the seeds with a finding."""

    seeds: int = 0
    broken: int = 0
    sums: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        self.seeds += 1
        self.broken += bool(result.findings)
        self.sums.update({name: getattr(result, name) for name in _SUMMED})
        self.faults.update(result.faults)


def show_result(console: Console, result: Result) -> None:
    verdict = "BROKEN" if result.findings else "ok"
    console.print(
        f"seed {result.seed:>4}  severity {result.severity:<4g} {result.faults.total():>4} faults "
        f"{result.crashes:>3} crashes  {result.rows:>4} rows -> {result.rows - result.rejected:>4} accepted "
        f"{result.rejected:>3} rejected  {result.raw_objects:>3} raw {result.set_aside:>2} set aside  {verdict}",
        highlight=False,
    )
    for finding in result.findings:
        console.print(f"  {finding}", highlight=False, markup=False)


def show_totals(console: Console, totals: Totals) -> None:
    table = Table("place and fault", "times", title=f"{totals.seeds} seeds, {totals.broken} with a broken promise")
    for name, times in sorted(totals.faults.items()):
        table.add_row(name, f"{times:,}")
    console.print(table)
    sums = totals.sums
    console.print(
        f"{sums['rows']:,} rows sent, of them {sums['rejected']:,} rejected and named; {sums['batches']:,} batches and "
        f"{sums['foreign']:,} foreign records became {sums['lines']:,} lines, {sums['raw_objects']:,} raw objects and "
        f"{sums['set_aside']:,} set-aside records, through {totals.faults.total():,} faults and "
        f"{sums['crashes']:,} crashes of consumers; the client was started {sums['uploads']:,} times",
        highlight=False,
    )


def write_decisions(result: Result) -> Path:
    """One JSON object a line, in the order in which they were made."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    path = _FOLDER / f"seed-{result.seed}.jsonl"
    path.write_text("".join(json.dumps(asdict(decision)) + "\n" for decision in result.decisions))
    return path
