"""The client from the CSV's bytes to posted batches, beside one of the standard library; and its memory.

`python -m bench.client FILE URL [--forgetful]` sends the file and prints the most memory of this process, in bytes.
`--forgetful`: the counter of repeats knows only the rows that were read together, so it does not grow.
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from bench.ab_benchmark import compare
from bench.baselines import idiomatic
from bench.findings import Finding, at_least, figure
from bench.loopback import aws_on_loopback
from bench.rows import grow
from client import reader
from client.api import Address
from client.batches import AnsweredBatch
from client.columns import Column
from client.environment import Environment
from client.repeats import Repeats
from client.send import SendSettings, send
from local_runtime.processes import peak_memory

_ROWS = 200_000
_BATCH_ROWS = 5_000
_FEW, _MANY = 500_000, 5_000_000
_MOST_GROWTH = 0.10
_FORGETFUL = "--forgetful"


def client_findings(csv: Path) -> list[Finding]:
    """The API is a server on loopback that accepts everything. Each side opens its HTTP client inside its time; the
    baseline's reads no certificates of authorities, as ours reads none for http.
    """
    with tempfile.TemporaryDirectory() as folder, aws_on_loopback() as url:
        file = grow(csv, _ROWS, Path(folder) / "rows.csv")
        sides = {"ours": _send(file, url), "standard library": lambda: idiomatic.send(file, url, _BATCH_ROWS)}
        rounds = compare(sides, _ROWS, rounds=5)
    note = f"{rounds.microseconds('ours'):.1f} us a row; standard library {rounds.microseconds('standard library'):.1f}"
    what = f"CSV to posted batches, {_ROWS:,} rows, against `csv` + `strptime` + `json.dumps`"
    return [at_least(what, rounds.speedup("ours", "standard library"), 4, note)]


def memory_findings(csv: Path) -> list[Finding]:
    """Peak memory of whole client processes, with the counter of repeats and without."""
    with tempfile.TemporaryDirectory() as folder, aws_on_loopback() as url:
        files = [grow(csv, rows, Path(folder) / f"{rows}.csv") for rows in (_FEW, _MANY)]
        whole = [_peak_of_process(str(file), url) for file in files]
        without = [_peak_of_process(str(file), url, _FORGETFUL) for file in files]
    growth = max(without) / min(without) - 1
    counter = (whole[-1] - without[-1]) / _MANY
    what = f"client's peak memory without its counter of repeats, {_FEW:,} to {_MANY:,} rows"
    return [
        Finding(what, "grows by <= 10 %", f"{growth:.1%}", growth <= _MOST_GROWTH, _megabytes(without)),
        figure("client's peak memory, whole", _megabytes(whole), f"the counter: {counter:.0f} bytes a row, growing"),
    ]


def peak_bytes() -> int:
    """Of this program. Linux's getrusage also counts what the parent held when it started this process."""
    return peak_memory(os.getpid()) or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _send(file: Path, url: str) -> Callable[[], None]:
    def run() -> None:
        summary = send(SendSettings(file, Address(url), _BATCH_ROWS, in_flight=4), Environment(), _Silent())
        if summary.ending or summary.stats.rejected:
            raise RuntimeError(f"the upload did not end well: {summary.ending}")

    return run


class _Silent:
    def batch_answered(self, batch: AnsweredBatch) -> None:
        pass


class _Forgetful(Repeats):
    def number(self, columns: Mapping[str, Column]) -> NDArray[np.int64]:
        return Repeats().number(columns)


def _peak_of_process(*arguments: str) -> int:
    command = [sys.executable, "-m", "bench.client", *arguments]
    root = Path(__file__).parents[1]
    ended = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
    return int(ended.stdout)


def _megabytes(peaks: Sequence[int]) -> str:
    return ", ".join(f"{peak / 1e6:.0f} MB" for peak in peaks)


if __name__ == "__main__":
    with patch.object(reader, "Repeats", _Forgetful if _FORGETFUL in sys.argv else Repeats):
        _send(Path(sys.argv[1]), sys.argv[2])()
    sys.stdout.write(f"{peak_bytes()}\n")
