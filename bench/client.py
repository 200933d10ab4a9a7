"""The client from the CSV's bytes to posted batches, beside one of the standard library."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.ab_benchmark import compare
from bench.baselines import idiomatic
from bench.findings import Finding, at_least
from bench.loopback import aws_on_loopback
from bench.rows import grow
from client.api import Address
from client.batches import AnsweredBatch
from client.environment import Environment
from client.send import SendSettings, send

_ROWS = 200_000
_BATCH_ROWS = 5_000


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


def _send(file: Path, url: str) -> Callable[[], None]:
    def run() -> None:
        summary = send(SendSettings(file, Address(url), _BATCH_ROWS, in_flight=4), Environment(), _Silent())
        if summary.ending or summary.stats.rejected:
            raise RuntimeError(f"the upload did not end well: {summary.ending}")

    return run


class _Silent:
    def batch_answered(self, batch: AnsweredBatch) -> None:
        pass
