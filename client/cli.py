"""Send invoice rows to the API, and look at what it stores."""

import asyncio
import json
import re
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console, Group
from rich.text import Text

from client.api import KEY_HELP, Address, Api, open_api
from client.batches import MAX_BATCH_ROWS
from client.check import check
from client.correct import Correction, prepare_correction, read_correction
from client.dates import DateOrder
from client.environment import Environment
from client.errors import BadInput, CommandError, NotFound
from client.header import HeaderSettings, parse_renames
from client.receipts import fetch_receipt
from client.report import JsonLines, Summary, progress_bar, shown_name
from client.send import PreparedUpload, SendSettings, prepare
from client.show import PagedResponse, batch_tables, customer_tables, fetch_customer, fetch_invoice, invoice_tables

_NOT_FOUND, _BAD_INPUT, _API_FAILED, _INTERRUPTED = 1, 2, 3, 130
_DECLINED = 1
_TAKEN_BACK = "taken back"  # in what the API says of an invoice or a customer all of whose lines were
_IN_FLIGHT = 4
_LATEST_INVOICES = 20  # of a customer, unless --limit says otherwise
_KEY_CHARACTERS = re.compile(r"[\x21-\x7e]+")  # what a header may hold

T = TypeVar("T")

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help=__doc__, context_settings={"help_option_names": ["-h", "--help"]}
)

Url = Annotated[str, typer.Option(envvar="INVOICE_API_URL", help="The address of the API.")]
Key = Annotated[str | None, typer.Option(envvar="INVOICE_API_KEY", help="The API key.")]
Limit = Annotated[int, typer.Option(min=0, help="Show only so many lines; 0 shows all.")]
LatestLimit = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Show only so many invoices, the latest first; 0 shows all. With --json the API's order stays.",
        show_default="20, or all with --json",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the API's response as JSON.")]
BatchRows = Annotated[int, typer.Option(min=1, max=MAX_BATCH_ROWS, help="The most rows in a request.")]
Dates = Annotated[
    DateOrder | None,
    typer.Option(help="The order of dates with slashes.", show_default="mdy; the file is checked before it is sent"),
]
Sheet = Annotated[str | None, typer.Option(help="The sheet of an .xlsx file.", show_default="the first")]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        metavar="THEIRS=OURS",
        help="The file's name for one of our columns; give it once for each.",
        show_default="known names",
    ),
]
IgnoreUnknown = Annotated[
    bool, typer.Option("--ignore-unknown", help="Leave unknown columns out.", show_default="refuse the file")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Start anew and ignore the journal.", show_default="resume")]
OwnJournal = Annotated[
    Path | None, typer.Option(help="The file from which the command resumes.", show_default="beside the file")
]
ShowOnly = Annotated[bool, typer.Option("--dry-run", help="Show lines and amounts, and send nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Go on without a question.")]
AsJsonLines = Annotated[bool, typer.Option("--json", help="Print one JSON object a line, and nothing else.")]
_LOCAL = "http://127.0.0.1:8000"


@app.command("send")
def send_command(  # noqa: PLR0913, PLR0917 - an option each; typer passes them by name
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="Files of invoice rows: CSV (also gzip, with ; or tabs, UTF-16) or .xlsx; `-` is standard input.",
        ),
    ],
    url: Url = _LOCAL,
    api_key: Key = None,
    batch_rows: BatchRows = 5000,
    in_flight: Annotated[int, typer.Option(min=1, max=64, help="The most requests at a time.")] = 4,
    rate: Annotated[
        float | None,
        typer.Option(min=0.01, help="Rows a second, to simulate real time.", show_default="as fast as possible"),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="The file for rejected rows.", show_default="FILE.rejects.csv, beside FILE")
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(help="The file from which an upload resumes.", show_default="FILE.journal, beside FILE"),
    ] = None,
    fresh: Fresh = False,  # noqa: FBT002 - a flag of the command line
    dates: Dates = None,
    sheet: Sheet = None,
    columns: Columns = None,
    ignore_unknown: IgnoreUnknown = False,  # noqa: FBT002 - a flag of the command line
    wait: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--wait", help="End when all rows can be queried, and say how long that took.")
    ] = False,
    dry_run: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--dry-run", help="Check the files by the API's rules, and send nothing.")
    ] = False,
    as_json: AsJsonLines = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Send files of invoice rows. If it ends early, run the same command again: it sends the rest.

    Exit code 0: all rows were accepted.
    1: some were rejected.
    2: a file or the command line is wrong, and nothing was sent.
    3: the upload is incomplete.
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


def _refuse_batch(batch_id: str | None) -> None:
    """Rows that were sent without Occurrence are known by their batch, and the archive has them, not the client."""
    if batch_id is not None:
        _print_error("An operator takes a batch back: invoice-stream ops withdraw --batch ID. Nothing was sent.")
        raise typer.Exit(_BAD_INPUT)


Batch = Annotated[
    str | None,
    typer.Option(
        metavar="ID",
        is_eager=True,
        callback=_refuse_batch,
        help="An operator takes a batch back: invoice-stream ops withdraw --batch ID.",
        show_default="the file's lines",
    ),
]


@app.command("withdraw")
def withdraw_command(  # noqa: PLR0913, PLR0917 - an option each; typer passes them by name
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file that was sent, or its rows that are to be taken back.")],
    url: Url = _LOCAL,
    api_key: Key = None,
    batch_rows: BatchRows = 5000,
    journal: OwnJournal = None,
    fresh: Fresh = False,  # noqa: FBT002 - a flag of the command line
    dates: Dates = None,
    sheet: Sheet = None,
    columns: Columns = None,
    ignore_unknown: IgnoreUnknown = False,  # noqa: FBT002 - a flag of the command line
    dry_run: ShowOnly = False,  # noqa: FBT002 - a flag of the command line
    yes: Yes = False,  # noqa: FBT002 - a flag of the command line
    as_json: AsJsonLines = False,  # noqa: FBT002 - a flag of the command line
    batch: Batch = None,  # noqa: ARG001 - its callback says who takes a batch back
) -> None:
    """Take back the lines of a file, read with the options that it was sent with. They count nowhere then.

    The key needs the scopes ingest and correct. Exit codes are those of `send`; 1 also if you answer no.
    """
    with _print_errors():
        header = HeaderSettings(parse_renames(columns or ()), ignore_unknown)
        address = Address(url) if dry_run else _address(url, api_key)
        settings = SendSettings(file, address, batch_rows, _IN_FLIGHT, None, None, journal, fresh, dates, sheet, header)
        correction = read_correction(settings, None)
        _carry_out(correction, settings, context.obj, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command("correct")
def correct_command(  # noqa: PLR0913, PLR0917 - an option each; typer passes them by name
    context: typer.Context,
    old: Annotated[Path, typer.Argument(help="The file as it was sent.")],
    new: Annotated[Path, typer.Argument(help="The file as it should have been.")],
    url: Url = _LOCAL,
    api_key: Key = None,
    batch_rows: BatchRows = 5000,
    journal: OwnJournal = None,
    fresh: Fresh = False,  # noqa: FBT002 - a flag of the command line
    dates: Dates = None,
    sheet: Sheet = None,
    columns: Columns = None,
    ignore_unknown: IgnoreUnknown = False,  # noqa: FBT002 - a flag of the command line
    dry_run: ShowOnly = False,  # noqa: FBT002 - a flag of the command line
    yes: Yes = False,  # noqa: FBT002 - a flag of the command line
    as_json: AsJsonLines = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Take back the rows that only OLD has, and send those that only NEW has, both as of the same instant.

    The key needs the scopes ingest and correct. Exit codes are those of `send`; 1 also if you answer no.
    """
    with _print_errors():
        header = HeaderSettings(parse_renames(columns or ()), ignore_unknown)
        address = Address(url) if dry_run else _address(url, api_key)
        common = (address, batch_rows, _IN_FLIGHT, None, None, journal, fresh, dates, sheet, header)
        settings = SendSettings(new, *common)
        correction = read_correction(SendSettings(old, *common), settings)
        _carry_out(correction, settings, context.obj, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command("invoice")
def invoice_command(  # noqa: PLR0913, PLR0917 - an option each; typer passes them by name
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="The invoice's InvoiceNo.")],
    url: Url = _LOCAL,
    api_key: Key = None,
    limit: Limit = 0,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Show an invoice with its lines and its total."""
    address = _address(url, api_key)
    response = _fetch(context.obj, address, lambda api: fetch_invoice(api, number, limit or None), "invoice")
    _show(response, invoice_tables, as_json=as_json)


@app.command("customer")
def customer_command(  # noqa: PLR0913, PLR0917 - an option each; typer passes them by name
    context: typer.Context,
    customer_id: Annotated[str, typer.Argument(help="The customer's CustomerID.")],
    url: Url = _LOCAL,
    api_key: Key = None,
    limit: LatestLimit = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Show a customer with the invoices and their totals."""
    address = _address(url, api_key)
    most = (limit or None) if as_json else None  # which ones are the latest is known when all are there
    response = _fetch(context.obj, address, lambda api: fetch_customer(api, customer_id, most), "customer")
    shown = _LATEST_INVOICES if limit is None else limit or None
    _show(response, partial(customer_tables, limit=shown), as_json=as_json)


@app.command("batch")
def batch_command(
    context: typer.Context,
    batch_id: Annotated[str, typer.Argument(help="The batch's id, as `send --json` and the API's answers have it.")],
    url: Url = _LOCAL,
    api_key: Key = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Show the receipt of a batch: how many rows are stored, and since when they can be queried."""
    kind = "batch, or its rows cannot be queried yet"
    receipt = _fetch(context.obj, _address(url, api_key), lambda api: fetch_receipt(api, batch_id), kind)
    with _print_errors():
        typer.echo(json.dumps(receipt)) if as_json else Console().print(batch_tables(receipt))


def _carry_out(  # noqa: PLR0913 - what the commands were given
    correction: Correction,
    settings: SendSettings,
    environment: Environment,
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Show the correction, ask, and send it. Ends the command with its exit code."""
    JsonLines(sys.stdout).write(correction.event()) if as_json else correction.show(Console())
    if dry_run or not correction.changes:
        raise typer.Exit
    if not yes and not sys.stdin.isatty():
        raise BadInput("Nobody can be asked here. Give --yes to go on without a question, or --dry-run to look only.")
    if not yes and not typer.confirm("Go on?", err=True):
        raise typer.Exit(_DECLINED)
    with prepare_correction(correction, settings, environment) as upload:
        raise typer.Exit(_send(upload, environment, as_json=as_json).exit_code)


def _distinct_files(files: Sequence[Path], *own_paths: Path | None) -> list[Path]:
    if len(files) > 1 and any(own_paths):
        raise BadInput("--rejects and --journal are for one file. Several files each have their own beside them.")
    return list(dict.fromkeys(files))


def _check_files(files: Sequence[SendSettings], *, as_json: bool) -> int:
    """The exit code. A file that cannot be read does not keep the others from being checked."""
    exit_codes = []
    for settings in files:
        try:
            report = check(settings)
        except BadInput as error:
            _print_error(str(error))
            exit_codes.append(_BAD_INPUT)
            continue
        exit_codes.append(report.exit_code)
        JsonLines(sys.stdout).write(report.event()) if as_json else report.show(Console())
    return max(exit_codes)


def _send_files(files: Sequence[SendSettings], environment: Environment, *, as_json: bool) -> int:
    """The exit code. All files are checked before the first is sent; after one that is incomplete no other is begun."""
    exit_code = 0
    with ExitStack() as prepared:
        uploads = deque(prepared.enter_context(prepare(settings)) for settings in files)
        while uploads:
            try:
                summary = _send(uploads.popleft(), environment, as_json=as_json)
            except BadInput as error:
                if len(uploads) == len(files) - 1:
                    raise
                _print_error(str(error))
                exit_code = _API_FAILED  # the code of a command that was sent in part
                break
            exit_code = max(exit_code, summary.exit_code)
            if summary.ending:
                break
        if uploads:
            _print_error(f"Not begun: {', '.join(shown_name(each.settings.file) for each in uploads)}.")
    return exit_code


def _send(upload: PreparedUpload, environment: Environment, *, as_json: bool) -> Summary:
    """Why an upload ended early, and what to do, is shown before its figures."""
    if as_json:
        lines = JsonLines(sys.stdout)

        def write(summary: Summary) -> None:
            if summary.ending:
                _print_error(summary.ending)
            lines.write(summary.event())

        return upload.run(environment, lines, write, _print_warning)
    with progress_bar(Console(stderr=True), environment.clock) as bar:

        def show(summary: Summary) -> None:
            bar.stop()
            if summary.ending:
                _print_error(summary.ending)
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
        _, _, said = str(missing).partition(": ")  # behind the problem's title
        _print_error(f"{said}." if _TAKEN_BACK in said else f"There is no such {kind}.")
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
    key = (api_key or "").strip()
    if not key:
        _print_error(f"There is no API key. {KEY_HELP}")
        raise typer.Exit(_BAD_INPUT)
    if not _KEY_CHARACTERS.fullmatch(key):
        _print_error(f"The API key has a character that no key has: it was not copied as it is. {KEY_HELP}")
        raise typer.Exit(_BAD_INPUT)
    return Address(url, key)


def _print_styled(text: str, style: str) -> None:
    Console(stderr=True).print(Text(text, style=style), soft_wrap=True)


_print_warning, _print_error = partial(_print_styled, style="yellow"), partial(_print_styled, style="red")
