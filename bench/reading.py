"""Queries: how many calls to AWS each makes, and how long it takes, alone and under load."""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any

from bench import ours
from bench.clients import end_at
from bench.counts import Counts
from bench.events import Context, get_request, kinesis_event
from bench.finding import Finding, figure
from bench.rows import Sent
from bench.stored import Stored
from bench.wire import Wire

_TIMES = 200
_THREADS = 4


def read_findings(batches: Sequence[Sent], invoice: str, customer: str) -> list[Finding]:
    """Over a table held in memory: what is timed is our own work and botocore's."""
    wire = Wire(Counts(), Stored())
    end_at(wire)
    write = ours.to_dynamodb()
    for batch in batches:
        write(kinesis_event([(batch.key, batch.body)]), Context())
    api = ours.api_handler()
    paths = {"an invoice": f"/invoices/{invoice}", "a customer's page": f"/customers/{customer}/invoices"}
    return [finding for what, path in paths.items() for finding in _of_path(api, wire, what, path)]


def calls_of(api: ours.Handler, wire: Wire, path: str) -> int:
    """Calls to AWS of one GET, once the key is known."""
    _get(api, path)
    before = wire.counts.all_calls
    _get(api, path)
    return wire.counts.all_calls - before


def _of_path(api: ours.Handler, wire: Wire, what: str, path: str) -> list[Finding]:
    calls = calls_of(api, wire, path)
    alone = [_seconds(lambda: _get(api, path)) for _ in range(_TIMES)]
    loaded = _under_load(lambda: _get(api, path))
    return [
        Finding(f"GET of {what}, calls to AWS", "1, at most 2", str(calls), calls <= 2),  # noqa: PLR2004 - the goal
        figure(f"GET of {what}, p50 / p99, wall clock, no network", _percentiles(alone)),
        figure(f"the same, {_THREADS} at a time in one process", _percentiles(loaded)),
    ]


def _under_load(work: Callable[[], None]) -> list[float]:
    """Each thread turns standard output to where our handlers log, and the last may turn it back to another's."""
    with _closing_loops() as own_loop, redirect_stdout(StringIO()), ThreadPoolExecutor(_THREADS, "", own_loop) as pool:
        return list(pool.map(lambda _: _seconds(work), range(_TIMES)))


def _get(api: ours.Handler, path: str) -> None:
    answer: dict[str, Any] = api(get_request(path), Context())
    if answer["statusCode"] != 200:  # noqa: PLR2004 - OK
        raise RuntimeError(f"{path}: {answer['statusCode']}")


@contextmanager
def _closing_loops() -> Iterator[Callable[[], None]]:
    """Gives a thread a loop of its own, which Mangum takes, and closes them all."""
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
