"""Queries: how many calls to AWS each makes, and how long it takes, alone and under load."""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from bench.counts import Counts
from bench.findings import Finding, figure
from bench.functions import Context, Handler, api_handler, get_request, kinesis_event, to_dynamodb
from bench.rows import PostedBatch, posted_batches
from bench.wire import Wire

_TIMES = 200
_THREADS = 4
_MOST_CALLS = 2


def query_findings(csv: Path) -> list[Finding]:
    """Over tables held in memory: what is timed is our own work and botocore's."""
    batches = list(posted_batches(csv, 5_000))
    row = next(row for row in batches[0].objects() if row["CustomerID"])
    invoice, customer = row["InvoiceNo"], row["CustomerID"]
    wire = connected_wire(batches)
    api = api_handler()
    paths = {"an invoice": f"/invoices/{invoice}", "a customer's page": f"/customers/{customer}/invoices"}
    return [finding for what, path in paths.items() for finding in _of_path(api, wire, what, path)]


def connected_wire(batches: Sequence[PostedBatch]) -> Wire:
    """A wire whose tables hold the rows."""
    wire = Wire(Counts(), stores=True)
    wire.connect()
    write = to_dynamodb()
    for batch in batches:
        write(kinesis_event([(batch.key, batch.body)]), Context())
    return wire


def calls_of(api: Handler, wire: Wire, path: str) -> int:
    """Calls to AWS of one GET, after the API key is cached."""
    _get(api, path)
    before = wire.counts.all_calls
    _get(api, path)
    return wire.counts.all_calls - before


def _of_path(api: Handler, wire: Wire, what: str, path: str) -> list[Finding]:
    calls = calls_of(api, wire, path)
    alone = [_seconds(lambda: _get(api, path)) for _ in range(_TIMES)]
    return [
        Finding(f"GET of {what}, calls to AWS", f"1, at most {_MOST_CALLS}", str(calls), calls <= _MOST_CALLS),
        figure(f"GET of {what}, p50 / p99, wall clock, no network", _percentiles(alone)),
        figure(f"the same, {_THREADS} at a time in one process", _percentiles(_under_load(lambda: _get(api, path)))),
    ]


def _under_load(work: Callable[[], None]) -> list[float]:
    """Our handlers redirect standard output, and the last thread can restore another's; so it is redirected here."""
    with _closing_loops() as own_loop, redirect_stdout(StringIO()), ThreadPoolExecutor(_THREADS, "", own_loop) as pool:
        return list(pool.map(lambda _: _seconds(work), range(_TIMES)))


def _get(api: Handler, path: str) -> None:
    answer: dict[str, Any] = api(get_request(path), Context())
    if answer["statusCode"] != 200:  # noqa: PLR2004 - OK
        raise RuntimeError(f"{path}: {answer['statusCode']}")


@contextmanager
def _closing_loops() -> Iterator[Callable[[], None]]:
    """Gives each thread an event loop of its own, which Mangum takes, and closes them all."""
    loops: list[asyncio.AbstractEventLoop] = []

    def own_loop() -> None:
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    try:
        yield own_loop
    finally:
        for loop in loops:
            loop.close()


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _percentiles(seconds: list[float]) -> str:
    hundredths = statistics.quantiles(seconds, n=100)
    return f"{hundredths[49] * 1000:.1f} / {hundredths[98] * 1000:.1f} ms"
