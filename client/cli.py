"""Send invoice rows to the API, and look at what it stores."""

import asyncio
import json
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console, Group
from rich.text import Text

from client.api import KEY_HELP, Address, Api, open_api
from client.batches import MAX_BATCH_ROWS
from client.check import check
from client.dates import DateOrder
from client.environment import Environment
from client.errors import BadInput, CommandError, NotFound
from client.header import HeaderSettings, parse_renames
from client.receipts import fetch_receipt
from client.report import JsonLines, Summary, progress_bar, shown_name
from client.send import PreparedUpload, SendSettings, prepare
from client.show import PagedResponse, batch_tables, customer_tables, fetch_customer, fetch_invoice, invoice_tables

_NOT_FOUND, _BAD_INPUT, _API_FAILED, _INTERRUPTED = 1, 2, 3, 130

T = TypeVar("T")

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
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Files of invoice rows: CSV (also gzip, with ; or tabs, UTF-16) or .xlsx; `-` is standard input.",
        ),
    ],
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
        bool, typer.Option("--fresh", help="Start anew and ignore the journal. [default: resume]")
    ] = False,
    dates: Annotated[
        DateOrder | None,
        typer.Option(help="The order of dates with slashes. [default: mdy; the file is checked before it is sent]"),
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="The sheet of an .xlsx file. [default: the first]")] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="THEIRS=OURS",
            help="The file's name for one of our columns; give it once for each. [default: known names]",
        ),
    ] = None,
    ignore_unknown: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--ignore-unknown", help="Leave unknown columns out. [default: refuse the file]")
    ] = False,
    wait: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--wait", help="End when all rows can be queried, and say how long that took.")
    ] = False,
    dry_run: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--dry-run", help="Check the files by the API's rules, and send nothing.")
    ] = False,
    as_json: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--json", help="Print one JSON object a line, and nothing else.")
    ] = False,
) -> None:
    """Send files of invoice rows. If it ends early, run the same command again: it sends the rest.

    Exit code 0: all rows were accepted. 1: some were rejected. 2: a file or the command line is wrong, and nothing
    was sent. 3: the upload is incomplete.
    """
    address = Address(url) if dry_run else _address(url, api_key)
    with _print_errors():
        header = HeaderSettings(parse_renames(columns or ()), ignore_unknown)
        names = _distinct_files(files, rejects, journal)
        common = (address, batch_rows, in_flight, rate, rejects, journal, fresh, dates, sheet, header, wait)
        settings = [SendSettings(name, *common) for name in names]
        if dry_run:
            raise typer.Exit(_check_files(settings, as_json=as_json))
        raise typer.Exit(_send_files(settings, context.obj, as_json=as_json))


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


@app.command("batch")
def batch_command(
    context: typer.Context,
    batch_id: str,
    url: Url = _LOCAL,
    api_key: Key = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Show the receipt of a batch: how many rows are stored, and since when they can be queried."""
    kind = "batch, or its rows cannot be queried yet"
    receipt = _fetch(context.obj, _address(url, api_key), lambda api: fetch_receipt(api, batch_id), kind)
    with _print_errors():
        typer.echo(json.dumps(receipt)) if as_json else Console().print(batch_tables(receipt))


def _distinct_files(files: Sequence[Path], *own_paths: Path | None) -> list[Path]:
    if len(files) > 1 and any(own_paths):
        raise BadInput("--rejects and --journal are for one file. Several files each have their own beside them.")
    return list(dict.fromkeys(files))


def _check_files(files: Sequence[SendSettings], *, as_json: bool) -> int:
    reports = []
    for settings in files:
        reports.append(report := check(settings))
        JsonLines(sys.stdout).write(report.event()) if as_json else report.show(Console())
    return max(report.exit_code for report in reports)


def _send_files(files: Sequence[SendSettings], environment: Environment, *, as_json: bool) -> int:
    """The exit code. All files are checked before the first is sent; after one that is incomplete no other is begun."""
    exit_code = 0
    with ExitStack() as prepared:
        uploads = deque(prepared.enter_context(prepare(settings)) for settings in files)
        while uploads:
            summary = _send(uploads.popleft(), environment, as_json=as_json)
            exit_code = max(exit_code, summary.exit_code)
            if summary.ending:
                _print_error(summary.ending)
                break
        if uploads:
            _print_error(f"Not begun: {', '.join(shown_name(each.settings.file) for each in uploads)}.")
    return exit_code


def _send(upload: PreparedUpload, environment: Environment, *, as_json: bool) -> Summary:
    if as_json:
        lines = JsonLines(sys.stdout)
        return upload.run(environment, lines, lambda summary: lines.write(summary.event()), _print_warning)
    with progress_bar(Console(stderr=True), environment.clock) as bar:

        def show(summary: Summary) -> None:
            bar.stop()
            summary.show(Console())

        return upload.run(environment, bar, show, _print_warning)


def _fetch(environment: Environment, address: Address, fetch: Callable[[Api], Awaitable[T]], kind: str) -> T:
    async def open_and_fetch() -> T:
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
