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
from bench.prices import Prices
from bench.rows import sent_batches
from bench.source_files import grown

_FLAT = 0.15
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


def memory_findings(csv: Path, url: str, sizes: Sequence[int]) -> list[Finding]:
    """Peak memory of whole client processes."""
    with tempfile.TemporaryDirectory() as folder:
        peaks = {rows: _peak_bytes(grown(csv, rows, Path(folder) / "rows.csv"), url) for rows in sizes}
    (few, least), (many, most) = min(peaks.items()), max(peaks.items())
    by_row = (most - least) / (many - few)
    shown = ", ".join(f"{rows:,} rows {peak / 1e6:.0f} MB" for rows, peak in peaks.items())
    return [figure("client's peak memory", shown, f"{by_row:.1f} bytes for each further row: the repeat counter")]


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


def _peak_bytes(file: Path, url: str) -> int:
    command = [sys.executable, "-m", "bench.peak_memory", str(file), url]
    ended = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
    return int(ended.stdout)
