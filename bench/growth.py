"""Cost and CPU time per row as files grow."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bill import bill, dollars
from bench.designs import our_design
from bench.findings import Finding
from bench.flows import our_counts
from bench.prices import Prices, read_prices
from bench.rows import grow, posted_batches

_SIZES = (10_000, 100_000, 1_000_000, 5_000_000)
_FLAT = 0.15


@dataclass(frozen=True, slots=True)
class Growth:
    """A file's rows, what a million of them cost, and the CPU time of one from the CSV to both tables."""

    rows: int
    dollars: float
    microseconds: float


def growth_findings(csv: Path) -> list[Finding]:
    prices = read_prices()
    with tempfile.TemporaryDirectory() as folder:
        measured = [_measure(grow(csv, rows, Path(folder) / "rows.csv"), prices) for rows in _SIZES]
    note = "; ".join(f"{size.rows:,}: {size.dollars:.4f} $, {size.microseconds:.0f} us" for size in measured)
    return [
        _flat("growth, dollars per million rows", [size.dollars for size in measured], note),
        _flat("growth, CPU a row, client to tables", [size.microseconds for size in measured]),
    ]


def _measure(file: Path, prices: Prices) -> Growth:
    started = time.process_time()
    batches = list(posted_batches(file, 5_000))
    client_seconds = time.process_time() - started
    counts = our_counts(batches)
    seconds = client_seconds + sum(counts.cpu_seconds.values())
    cost = dollars(bill(counts, our_design(), prices, 1_000_000).per_request)
    return Growth(counts.rows, cost, seconds / counts.rows * 1e6)


def _flat(what: str, values: Sequence[float], note: str = "") -> Finding:
    spread = max(values) / min(values) - 1
    return Finding(what, f"flat within {_FLAT:.0%}", f"{spread:.1%}", spread <= _FLAT, note)
