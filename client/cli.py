"""The commands."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.text import Text

from client.api import Address, Api, open_api
from client.environment import Environment
from client.errors import BadInput, CommandError, NotFound
from client.limits import MAX_BATCH_ROWS
from client.report import JsonLines, Summary, progress_bar
from client.send import SendSettings, send
from client.show import Answer, customer_tables, fetch_customer, fetch_invoice, invoice_tables

_NOT_FOUND, _BAD_INPUT, _API_FAILED, _INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

Url = Annotated[str, typer.Option(envvar="INVOICE_API_URL", help="Where the API is.")]
Key = Annotated[str | None, typer.Option(envvar="INVOICE_API_KEY", help="The API key, if it asks for one.")]
_LOCAL = "http://127.0.0.1:8000"


@app.command("send")
def send_command(  # noqa: PLR0913, PLR0917 - an option each; typer passes them by name
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A CSV of invoice rows, plain or gzip, UTF-8 or cp1252.")],
    url: Url = _LOCAL,
    api_key: Key = None,
    batch_rows: Annotated[int, typer.Option(min=1, max=MAX_BATCH_ROWS, help="Rows in a request at most.")] = 5000,
    in_flight: Annotated[int, typer.Option(min=1, max=64, help="Requests on their way at a time.")] = 4,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="Rows a second, to simulate real time; else as fast as it goes.")
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where refused rows go. [default: FILE.rejects.csv, here]")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help="What an upload resumes from. [default: FILE.journal, beside FILE]")
    ] = None,
    fresh: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--fresh", help="Start anew, whatever the journal says.")
    ] = False,
    as_json: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--json", help="One JSON object a line, and nothing else.")
    ] = False,
) -> None:
    """Send a file of invoice rows. After any end, the same command goes on where the last one was.

    Exit code 0: all rows accepted; 1: some were rejected; 2: the file or the command line is at fault and nothing was
    sent; 3: incomplete.
    """
    settings = SendSettings(file, Address(url, api_key), batch_rows, in_flight, rate, rejects, journal, fresh)
    with _failures_shown():
        summary = _sent(settings, context.obj, as_json=as_json)
    if summary.ending:
        _complain(summary.ending)
    raise typer.Exit(summary.exit_code)


@app.command("invoice")
def invoice_command(context: typer.Context, number: str, url: Url = _LOCAL, api_key: Key = None) -> None:
    """Show an invoice: its lines and its total."""
    _show(context.obj, Address(url, api_key), lambda api: fetch_invoice(api, number), invoice_tables, "invoice")


@app.command("customer")
def customer_command(context: typer.Context, customer_id: str, url: Url = _LOCAL, api_key: Key = None) -> None:
    """Show a customer: all invoices and what they add up to."""
    _show(context.obj, Address(url, api_key), lambda api: fetch_customer(api, customer_id), customer_tables, "customer")


def _sent(settings: SendSettings, environment: Environment, *, as_json: bool) -> Summary:
    if as_json:
        lines = JsonLines(sys.stdout)
        return send(settings, environment, lines, lambda summary: lines.write(summary.event()))
    with progress_bar(Console(stderr=True), environment.clock) as bar:

        def show(summary: Summary) -> None:
            bar.stop()
            summary.show(Console())

        return send(settings, environment, bar, show)


def _show(
    environment: Environment,
    address: Address,
    ask: Callable[[Api], Awaitable[Answer]],
    tables: Callable[[Answer], Group],
    kind: str,
) -> None:
    async def answer() -> Answer:
        async with open_api(address, environment, lambda: False) as api:
            return await ask(api)

    try:
        with _failures_shown():
            Console().print(tables(asyncio.run(answer())))
    except NotFound as missing:
        _complain(f"There is no such {kind}.")
        raise typer.Exit(_NOT_FOUND) from missing


@contextmanager
def _failures_shown() -> Iterator[None]:
    try:
        yield
    except NotFound:
        raise
    except KeyboardInterrupt as interrupt:
        raise typer.Exit(_INTERRUPTED) from interrupt
    except CommandError as failure:
        _complain(str(failure))
        raise typer.Exit(_BAD_INPUT if isinstance(failure, BadInput) else _API_FAILED) from failure


def _complain(message: str) -> None:
    Console(stderr=True).print(Text(message, style="red"), soft_wrap=True)
