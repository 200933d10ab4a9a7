"""Cost and time per row as files grow, and the client's memory."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bill import bill, dollars
from bench.designs import our_design
from bench.finding import Finding, figure
from bench.flows import our_counts
from bench.peak_memory import FORGETFUL
from bench.prices import Prices
from bench.rows import sent_batches
from bench.source_files import grown

_FLAT = 0.15
_FLAT_MEMORY = 0.10
_MILLION = 1_000_000
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Size:
    """A file's size, what a million of its rows cost, and the CPU of a row from the CSV to both tables."""

    rows: int
    dollars: float
    microseconds: float


def growth_findings(csv: Path, sizes: Sequence[int], prices: Prices) -> list[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        measured = [_size(grown(csv, rows, Path(folder) / "rows.csv"), prices) for rows in sizes]
    shown = [f"{size.rows:,}: {size.dollars:.4f} $, {size.microseconds:.0f} us" for size in measured]
    by_cost = _spread([size.dollars for size in measured])
    by_time = _spread([size.microseconds for size in measured])
    note = "; ".join(shown)
    return [
        Finding("growth, dollars per million rows", "flat within 15 %", f"{by_cost:.1%}", by_cost <= _FLAT, note),
        Finding("growth, CPU a row, client to tables", "flat within 15 %", f"{by_time:.1%}", by_time <= _FLAT),
    ]


def memory_findings(csv: Path, url: str, sizes: tuple[int, int]) -> list[Finding]:
    """Peak memory of whole client processes: few rows and many, with the counter of repeats and without."""
    with tempfile.TemporaryDirectory() as folder:
        files = {rows: grown(csv, rows, Path(folder) / f"{rows}.csv") for rows in sizes}
        whole = [_peak_bytes(file, url) for file in files.values()]
        without = [_peak_bytes(file, url, FORGETFUL) for file in files.values()]
    growth = _spread(without)
    counter = (whole[-1] - without[-1]) / sizes[-1]
    what = f"client's peak memory without its counter of repeats, {sizes[0]:,} to {sizes[-1]:,} rows"
    return [
        Finding(what, "grows by <= 10 %", f"{growth:.1%}", growth <= _FLAT_MEMORY, _megabytes(without)),
        figure("client's peak memory, whole", _megabytes(whole), f"the counter: {counter:.0f} bytes a row, growing"),
    ]


def _size(file: Path, prices: Prices) -> Size:
    started = time.process_time()
    batches = list(sent_batches(file, 5000))
    client_seconds = time.process_time() - started
    counts = our_counts(batches)
    seconds = client_seconds + sum(counts.cpu_seconds.values())
    cost = dollars(bill(counts, our_design(), prices, _MILLION).passing)
    return Size(counts.rows, cost, seconds / counts.rows * 1e6)


def _spread(values: Sequence[float]) -> float:
    return max(values) / min(values) - 1


def _megabytes(peaks: Sequence[int]) -> str:
    return ", ".join(f"{peak / 1e6:.0f} MB" for peak in peaks)


def _peak_bytes(file: Path, url: str, *options: str) -> int:
    command = [sys.executable, "-m", "bench.peak_memory", str(file), url, *options]
    ended = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
    return int(ended.stdout)
