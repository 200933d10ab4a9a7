"""The client from the CSV's bytes to posted batches, beside one of the standard library, and one of a row a request."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx

from bench.duel import duel
from bench.finding import Finding, at_least, figure
from bench.rivals import idiomatic_client, row_client
from bench.source_files import first_rows, grown
from client.api import Address
from client.batches import Batch
from client.environment import Environment
from client.responses import IngestResponse
from client.send import SendSettings, send

_ROWS = 200_000
_BATCH_ROWS = 5000
_ROW_BY_ROW = 200


def client_findings(csv: Path, url: str) -> list[Finding]:
    """The API is a server on loopback that takes everything. Each side opens its HTTP client inside its time, but the
    rival's reads no authorities' certificates, as ours reads none for http.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = grown(csv, _ROWS, Path(folder) / "rows.csv")
        few = first_rows(file, _ROW_BY_ROW, Path(folder) / "few.csv")
        sides = {"ours": our_send(file, url), "standard library": _standard_send(file, url)}
        rounds = duel(sides, _ROWS, rounds=5)
        with _http_client(url) as client:
            alone = duel({"row by row": lambda: row_client.send(few, client)}, _ROW_BY_ROW, rounds=3)
    note = f"{rounds.microseconds('ours'):.1f} us a row; standard library {rounds.microseconds('standard library'):.1f}"
    what = f"CSV to posted batches, {_ROWS:,} rows, against `csv` + `strptime` + `json.dumps`"
    times = alone.microseconds("row by row") / rounds.microseconds("ours")
    return [
        at_least(what, rounds.faster("ours", "standard library"), 4, note),
        figure("the same against a row a request", f"{times:.0f} x", "not in turns: other files"),
    ]


def our_send(file: Path, url: str) -> Callable[[], None]:
    def run() -> None:
        summary = send(SendSettings(file, Address(url), _BATCH_ROWS, in_flight=4), Environment(), _Silent())
        if summary.ending or summary.stats.rejected:
            raise RuntimeError(f"the upload did not end well: {summary.ending}")

    return run


def _standard_send(file: Path, url: str) -> Callable[[], None]:
    def run() -> None:
        with _http_client(url) as client:
            idiomatic_client.send(file, client, _BATCH_ROWS)

    return run


def _http_client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, trust_env=False, verify=not url.startswith("http:"))


class _Silent:
    def batch_answered(self, batch: Batch, answer: IngestResponse) -> None:
        pass
