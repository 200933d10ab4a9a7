"""How soon a row is queryable: from its 202 to the first GET that has it, in the whole pipeline on this machine."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from queue import SimpleQueue

import httpx

from bench.designs import TEMPLATE
from bench.findings import Finding, at_most
from local_runtime.errors import RunError
from local_runtime.folder import lock_folder
from local_runtime.pipeline import HEADER, start_pipeline
from local_runtime.processes import supervise
from local_runtime.stack.template import read_template

_REQUESTS_A_SECOND, _SECONDS = 20, 60
_GOAL_P50, _GOAL_P99 = 100, 300
_PAUSE = 0.02  # seconds between two GETs of one row
_PATIENCE = 10.0  # seconds
_THREADS = 8
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


def freshness_findings() -> list[Finding]:
    """One-row requests for a minute."""
    with _running_api() as http:
        _age(http, "F")  # so that the consumers have started
        milliseconds = sorted(_ages(http, _REQUESTS_A_SECOND * _SECONDS))
    cuts = statistics.quantiles(milliseconds, n=100)
    what = f"ms from the 202 to the first GET with the row, {_REQUESTS_A_SECOND} one-row requests a second for a minute"
    return [
        at_most(f"{what}, p{percent}", cuts[percent - 1], goal, "{:.0f}")
        for percent, goal in ((50, _GOAL_P50), (99, _GOAL_P99))
    ]


def _ages(http: httpx.Client, requests: int) -> list[float]:
    """Milliseconds. Request n is sent at its own time, however long earlier ones take."""
    start = time.perf_counter()

    def age_of(number: int) -> float:
        time.sleep(max(start + number / _REQUESTS_A_SECOND - time.perf_counter(), 0))
        return _age(http, f"F{number}")

    with ThreadPoolExecutor(_THREADS) as threads:
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
def _running_api() -> Iterator[httpx.Client]:
    """A client of the whole pipeline, which runs until the end of the block."""
    with tempfile.TemporaryDirectory() as temporary, supervise() as supervisor, lock_folder(Path(temporary)) as folder:
        pipeline = start_pipeline(supervisor, folder, read_template(TEMPLATE), SimpleQueue())
        with httpx.Client(base_url=pipeline.api.url, headers={HEADER: pipeline.api_key}) as http:
            yield http
