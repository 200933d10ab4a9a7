"""Send invoice rows to the API, and look at what it stores."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.text import Text

from client.api import KEY_HELP, Address, Api, open_api
from client.batches import MAX_BATCH_ROWS
from client.dates import DateOrder
from client.environment import Environment
from client.errors import BadInput, CommandError, NotFound
from client.report import JsonLines, Summary, progress_bar
from client.send import SendSettings, send
from client.show import PagedResponse, customer_tables, fetch_customer, fetch_invoice, invoice_tables

_NOT_FOUND, _BAD_INPUT, _API_FAILED, _INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help=__doc__, context_settings={"help_option_names": ["-h", "--help"]}
)

Url = Annotated[str, typer.Option(envvar="INVOICE_API_URL", help="The address of the API.")]
Key = Annotated[str | None, typer.Option(envvar="INVOICE_API_KEY", help="The API key.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Show only so many lines or invoices. [default: all]")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the API's response as JSON.")]
_LOCAL = "http://127.0.0.1:8000"


@app.command("send")
def send_command(  # noqa: PLR0913, PLR0917 - an option each; typer passes them by name
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A CSV of invoice rows, plain or gzip, UTF-8 or cp1252.")],
    url: Url = _LOCAL,
    api_key: Key = None,
    batch_rows: Annotated[int, typer.Option(min=1, max=MAX_BATCH_ROWS, help="The most rows in a request.")] = 5000,
    in_flight: Annotated[int, typer.Option(min=1, max=64, help="The most requests at a time.")] = 4,
    rate: Annotated[
        float | None,
        typer.Option(min=0.01, help="Rows a second, to simulate real time. [default: as fast as possible]"),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="The file for rejected rows. [default: FILE.rejects.csv, beside FILE]")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help="The file from which an upload resumes. [default: FILE.journal, beside FILE]")
    ] = None,
    fresh: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--fresh", help="Start anew and ignore the journal.")
    ] = False,
    dates: Annotated[
        DateOrder | None,
        typer.Option(help="The order of dates with slashes. [default: mdy; the file is checked before it is sent]"),
    ] = None,
    as_json: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--json", help="Print one JSON object a line, and nothing else.")
    ] = False,
) -> None:
    """Send a file of invoice rows. If it ends early, run the same command again: it sends the rest.

    Exit code 0: all rows were accepted. 1: some were rejected. 2: the file or the command line is wrong, and nothing
    was sent. 3: the upload is incomplete.
    """
    settings = SendSettings(file, _address(url, api_key), batch_rows, in_flight, rate, rejects, journal, fresh, dates)
    with _print_errors():
        summary = _send(settings, context.obj, as_json=as_json)
    if summary.ending:
        _print_error(summary.ending)
    raise typer.Exit(summary.exit_code)


@app.command("invoice")
def invoice_command(  # noqa: PLR0913, PLR0917 - an option each; typer passes them by name
    context: typer.Context,
    number: str,
    url: Url = _LOCAL,
    api_key: Key = None,
    limit: Limit = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Show an invoice with its lines and its total."""
    response = _fetch(context.obj, _address(url, api_key), lambda api: fetch_invoice(api, number, limit), "invoice")
    _show(response, invoice_tables, as_json=as_json)


@app.command("customer")
def customer_command(  # noqa: PLR0913, PLR0917 - an option each; typer passes them by name
    context: typer.Context,
    customer_id: str,
    url: Url = _LOCAL,
    api_key: Key = None,
    limit: Limit = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Show a customer with the invoices and their totals."""
    address = _address(url, api_key)
    response = _fetch(context.obj, address, lambda api: fetch_customer(api, customer_id, limit), "customer")
    _show(response, customer_tables, as_json=as_json)


def _send(settings: SendSettings, environment: Environment, *, as_json: bool) -> Summary:
    if as_json:
        lines = JsonLines(sys.stdout)
        return send(settings, environment, lines, lambda summary: lines.write(summary.event()), _print_warning)
    with progress_bar(Console(stderr=True), environment.clock) as bar:

        def show(summary: Summary) -> None:
            bar.stop()
            summary.show(Console())

        return send(settings, environment, bar, show, _print_warning)


def _fetch(
    environment: Environment, address: Address, fetch: Callable[[Api], Awaitable[PagedResponse]], kind: str
) -> PagedResponse:
    async def open_and_fetch() -> PagedResponse:
        async with open_api(address, environment, warn=_print_warning) as api:
            return await fetch(api)

    try:
        with _print_errors():
            return asyncio.run(open_and_fetch())
    except NotFound as missing:
        _print_error(f"There is no such {kind}.")
        raise typer.Exit(_NOT_FOUND) from missing


def _show(response: PagedResponse, tables: Callable[[PagedResponse], Group], *, as_json: bool) -> None:
    with _print_errors():
        typer.echo(response.as_json()) if as_json else Console().print(tables(response))


@contextmanager
def _print_errors() -> Iterator[None]:
    try:
        yield
    except NotFound:
        raise
    except KeyboardInterrupt as interrupt:
        raise typer.Exit(_INTERRUPTED) from interrupt
    except CommandError as error:
        _print_error(str(error))
        raise typer.Exit(_BAD_INPUT if isinstance(error, BadInput) else _API_FAILED) from error


def _address(url: str, api_key: str | None) -> Address:
    """Every route that the client asks needs a key, so the user learns that it is missing before anything is read."""
    if not api_key:
        _print_error(f"There is no API key. {KEY_HELP}")
        raise typer.Exit(_BAD_INPUT)
    return Address(url, api_key)


def _print_warning(text: str) -> None:
    Console(stderr=True).print(Text(text, style="yellow"), soft_wrap=True)


def _print_error(message: str) -> None:
    Console(stderr=True).print(Text(message, style="red"), soft_wrap=True)
