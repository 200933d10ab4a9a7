"""Tries a deployment from outside: `make smoke URL=… KEY=…`.

Posts twenty small invoices of its own with the client, waits until each can be queried, compares every total, and
prints how long it took. Their numbers start with SMOKE and the time, so they are new on every run and easily told from
real ones; nothing takes them out again.
"""

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

_INVOICES = 20
_LINES = 10
_LONGEST_WAIT_SECONDS = 120.0
_PAUSE_SECONDS = 0.2
_COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
_PROJECT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Expected:
    number: str
    rows: Sequence[Sequence[str]]
    total: Decimal


@dataclass(frozen=True)
class Arrival:
    """`problem` is None for an invoice that came complete and with the right total."""

    seconds: float
    problem: str | None


def main(
    url: Annotated[str, typer.Option(help="The API's address: the stack's output ApiUrl.")],
    api_key: Annotated[str, typer.Option(envvar="INVOICE_API_KEY", help="A key that may ingest and read.")] = "",
) -> None:
    """Exit code 0 if every invoice arrived complete, 1 if not."""
    console = Console(soft_wrap=True)
    if not url:
        console.print("make smoke URL=https://… KEY=…   (the stack's output ApiUrl, and a key)")
        raise typer.Exit(2)
    invoices = list(_invoices(f"SMOKE{int(time.time())}"))
    sent = _send(invoices, url, api_key)
    accepted_at = time.perf_counter()
    console.print(f"sent {len(invoices)} invoices, {_INVOICES * _LINES} rows, in {sent:.2f} s; waiting for them …")
    with httpx.Client(base_url=url, headers={"X-Api-Key": api_key} if api_key else {}, timeout=30) as http:
        arrivals = [_arrival(http, invoice, accepted_at) for invoice in invoices]
        problems = [arrival.problem for arrival in arrivals if arrival.problem]
        console.print(
            f"the first could be queried after {arrivals[0].seconds:.2f} s, all of them after {_last(arrivals)}"
        )
        console.print(f"a query takes {_query_milliseconds(http, invoices[0]):.0f} ms (median of 9)")
    for problem in problems:
        console.print(f"[red]{problem}[/]")
    console.print(
        "[red]NOT as expected[/]" if problems else "[green]every invoice is complete, every total is right[/]"
    )
    raise typer.Exit(1 if problems else 0)


def _invoices(prefix: str) -> Iterator[Expected]:
    for number in range(_INVOICES):
        name = f"{prefix}-{number}"
        lines = [(line + 1, Decimal(number * 100 + line) / 100) for line in range(_LINES)]
        rows = [
            (name, f"S{quantity}", "smoke test", str(quantity), "12/1/2010 8:26", str(price), "SMOKE", "Nowhere")
            for quantity, price in lines
        ]
        yield Expected(name, rows, sum((quantity * price for quantity, price in lines), Decimal()))


def _send(invoices: list[Expected], url: str, api_key: str) -> float:
    """Seconds from start to end of the client. Ends here with its exit code if it does not accept every row."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "smoke.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            writer.writerows(row for invoice in invoices for row in invoice.rows)
        environment = {**os.environ, "INVOICE_API_KEY": api_key} if api_key else None
        command = [sys.executable, "-m", "client", "send", str(path), "--url", url, "--json"]
        started = time.perf_counter()
        finished = subprocess.run(  # noqa: S603 - our own client, no shell
            command, cwd=_PROJECT, env=environment, check=False, stdout=subprocess.DEVNULL
        )
        seconds = time.perf_counter() - started
    if finished.returncode:
        raise typer.Exit(finished.returncode)
    return seconds


def _arrival(http: httpx.Client, invoice: Expected, accepted_at: float) -> Arrival:
    give_up = accepted_at + _LONGEST_WAIT_SECONDS
    while (answer := http.get(f"/invoices/{invoice.number}")).status_code == httpx.codes.NOT_FOUND:
        if time.perf_counter() > give_up:
            return Arrival(_LONGEST_WAIT_SECONDS, f"{invoice.number} did not arrive in {_LONGEST_WAIT_SECONDS:.0f} s")
        time.sleep(_PAUSE_SECONDS)
    return Arrival(time.perf_counter() - accepted_at, _problem(answer, invoice))


def _problem(answer: httpx.Response, invoice: Expected) -> str | None:
    if not answer.is_success:
        return f"{invoice.number}: the API answered {answer.status_code}"
    found = answer.json()
    if (found["line_count"], Decimal(found["total"])) != (_LINES, invoice.total):
        return f"{invoice.number}: {found['line_count']} lines and {found['total']}, not {_LINES} and {invoice.total}"
    return None


def _last(arrivals: list[Arrival]) -> str:
    return f"{max(arrival.seconds for arrival in arrivals):.2f} s"


def _query_milliseconds(http: httpx.Client, invoice: Expected) -> float:
    def once() -> float:
        started = time.perf_counter()
        http.get(f"/invoices/{invoice.number}")
        return time.perf_counter() - started

    return sorted(once() for _ in range(9))[4] * 1000


if __name__ == "__main__":
    typer.run(main)
