"""How soon a row is queryable: from its 202 to the first GET that has it, in the whole pipeline on this machine."""

import os
import shlex
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx

from bench.designs import TEMPLATE
from bench.findings import Finding
from local_runtime.environment import machine_environment
from local_runtime.errors import RunError
from local_runtime.pipeline import API_KEY, HEADER
from local_runtime.processes import Command, log_tail, supervise

_REQUESTS_A_SECOND, _SECONDS = 20, 60
_GOAL_P50, _GOAL_P99 = 100, 300
_PAUSE = 0.02  # seconds between two GETs of one row
_PATIENCE = 10.0  # seconds
_THREADS = 8
_SERVING, _API = b"serving until", b"API http"
_ROW = {
    "InvoiceNo": "1",
    "StockCode": "A",
    "Description": "a row",
    "Quantity": 1,
    "InvoiceDate": "2010-12-01T08:26:00",
    "UnitPrice": "1.00",
    "CustomerID": "1",
    "Country": "France",
}


@dataclass(frozen=True, slots=True)
class _Api:
    url: str
    key: str


def freshness_findings() -> list[Finding]:
    """One-row requests for a minute."""
    with _running_api() as api:
        milliseconds = sorted(_ages(api, _REQUESTS_A_SECOND * _SECONDS))
    cuts = statistics.quantiles(milliseconds, n=100)
    what = f"from the 202 to the first GET with the row, {_REQUESTS_A_SECOND} one-row requests a second for a minute"
    return [
        Finding(f"{what}, p{percent}", f"<= {goal} ms", f"{cuts[percent - 1]:.0f} ms", cuts[percent - 1] <= goal)
        for percent, goal in ((50, _GOAL_P50), (99, _GOAL_P99))
    ]


def _ages(api: _Api, requests: int) -> list[float]:
    """Milliseconds. Request n is sent at its own time, however long earlier ones take."""
    start = time.perf_counter()
    with httpx.Client(base_url=api.url, headers={HEADER: api.key}) as http, ThreadPoolExecutor(_THREADS) as threads:

        def age_of(number: int) -> float:
            time.sleep(max(start + number / _REQUESTS_A_SECOND - time.perf_counter(), 0))
            return _age(http, f"F{number}")

        return list(threads.map(age_of, range(requests)))


def _age(http: httpx.Client, invoice: str) -> float:
    http.post("/ingest", json={**_ROW, "InvoiceNo": invoice}).raise_for_status()
    accepted = time.perf_counter()
    while http.get(f"/invoices/{invoice}").status_code != HTTPStatus.OK:
        if time.perf_counter() - accepted > _PATIENCE:
            raise RunError(f"invoice {invoice} is not queryable after {_PATIENCE:g} seconds")
        time.sleep(_PAUSE)
    return (time.perf_counter() - accepted) * 1000


@contextmanager
def _running_api() -> Iterator[_Api]:
    """`make run` with a file of one row, until the end of the block."""
    with tempfile.TemporaryDirectory() as temporary, supervise() as supervisor:
        folder, csv = Path(temporary), Path(temporary) / "one.csv"
        csv.write_text(",".join(_ROW) + "\n" + ",".join(map(str, _ROW.values())) + "\n")
        log, results = folder / "run.log", folder / "run"
        options = ("run", "--csv", str(csv), "--template", str(TEMPLATE), "--folder", str(results))
        machine = machine_environment(os.environ, folder)
        lines = supervisor.start(
            Command("make run", "local_runtime", log, machine, options, pipes_stdout=True)
        ).stdout_lines()
        url = ""
        for line in lines:
            if line.startswith(_API):
                url = line.split()[1].decode()
            if _SERVING in line:
                break
        else:
            raise RunError(f"the pipeline did not start\n{log_tail(log)}")
        yield _Api(url, _api_key(results / "env"))


def _api_key(environment: Path) -> str:
    variables = dict(line.split("=", 1) for line in environment.read_text().splitlines())
    return shlex.split(variables[API_KEY])[0]
