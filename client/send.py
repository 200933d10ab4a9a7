"""`send` with one file, from the file to the summary."""

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import httpx

from client.api import Address, open_api, parse_url
from client.batches import Batcher
from client.csv_file import STDIN, Source, open_source
from client.dates import DateOrder
from client.environment import Environment
from client.errors import BadInput, CommandError, RequestRefused
from client.header import NO_SETTINGS, HeaderSettings
from client.header import Header as FileHeader
from client.journal import VERSION, Header, Journal, check_journal_path, default_journal_path, open_journal
from client.reader import Chunk, Reader
from client.receipts import Queryable, wait_until_queryable
from client.rejects import (
    ADDED_COLUMNS,
    Rejects,
    check_rejects_path,
    default_rejects_path,
    next_free_path,
    shortest_path,
)
from client.report import DATES, EMPTY_FILE, Changes, Summary, shown_name
from client.upload import Pace, ProgressListener, Stop, Upload, UploadStats

_AMBIGUOUS = (
    "Every date of the file can be read as month/day and as day/month. They were read as month/day; if that is wrong, "
    "send the file with --dates dmy."
)


@dataclass(frozen=True, slots=True)
class SendSettings:
    """What the command line says. `rate` is in rows a second; None for a path is its default place.

    `dates` None: month first, unless the file says otherwise. `fresh` forgets an earlier upload that is not complete.
    `wait` ends the run only when all rows can be queried.
    """

    file: Path
    address: Address
    batch_rows: int
    in_flight: int
    rate: float | None = None
    rejects: Path | None = None
    journal: Path | None = None
    fresh: bool = False
    dates: DateOrder | None = None
    sheet: str | None = None
    header: HeaderSettings = NO_SETTINGS
    wait: bool = False

    @property
    def journal_path(self) -> Path:
        return self.journal or default_journal_path(self._named_file)

    @property
    def rejects_path(self) -> Path:
        return self.rejects or default_rejects_path(self._named_file)

    @property
    def _named_file(self) -> Path:
        return Path("stdin.csv") if self.file == STDIN else self.file

    @property
    def date_order(self) -> DateOrder:
        return self.dates or "mdy"

    @property
    def rows_at_a_time(self) -> int:
        """With a rate, about one request a second, so that rows come evenly."""
        return min(self.batch_rows, math.ceil(self.rate)) if self.rate else self.batch_rows


def send(
    settings: SendSettings,
    environment: Environment,
    listener: ProgressListener,
    show: Callable[[Summary], None] = lambda _summary: None,
    warn: Callable[[str], None] = lambda _text: None,
) -> Summary:
    """Send the file, or go on where the last run ended. Raises BadInput where nothing was sent."""
    with prepare(settings) as upload:
        return upload.run(environment, listener, show, warn)


@contextmanager
def prepare(settings: SendSettings) -> Iterator["PreparedUpload"]:
    """Open the file and its journal, and check all that can be checked before the first request.

    Raises BadInput where the file or a setting is wrong.
    """
    if settings.rate is not None and not math.isfinite(settings.rate):
        raise BadInput("The rate must be a number of rows a second.")
    url = parse_url(settings.address.url)
    with ExitStack() as opened:
        with name_file(settings.file):
            source = opened.enter_context(open_source(settings.file, settings.sheet))
            notes = check_file(source, settings)
            check_rejects_path(settings.rejects_path, settings.file)
            check_journal_path(settings.journal_path, settings.file, settings.rejects_path)
            header = journal_header(url, source.size, source.digest, settings)
            journal = opened.enter_context(open_journal(settings.journal_path, header, fresh=settings.fresh))
            reader = Reader(source, settings.date_order, settings.header)
        dates = settings.date_order if source.slashes.found else "iso"
        yield PreparedUpload(settings, reader, journal, notes, source.form, dates)


class RowSource(Protocol):
    """Rows that can be sent once, and the header of the file that rejected ones go into."""

    @property
    def header(self) -> FileHeader: ...

    def chunks(self) -> Iterator[Chunk]: ...


@dataclass(frozen=True, slots=True)
class PreparedUpload:
    """Rows that can be sent. `notes` say what is special about them; `form` and `dates` are those of the summary."""

    settings: SendSettings
    rows: RowSource
    journal: Journal
    notes: tuple[str, ...]
    form: str
    dates: str
    changes: Changes | None = None

    def run(
        self,
        environment: Environment,
        listener: ProgressListener,
        show: Callable[[Summary], None],
        warn: Callable[[str], None],
    ) -> Summary:
        """Send the file. Raises BadInput where nothing was sent.

        The journal is removed only after `show` has returned, so that the next run repeats a summary that nobody saw.
        """
        with name_file(self.settings.file):
            summary = _Run(self, environment, warn).execute(listener)
        show(summary)
        if summary.is_complete or not summary.journal:
            self.journal.remove()
        return summary


def check_file(source: Source, settings: SendSettings) -> tuple[str, ...]:
    """Notes for the user about header and dates. Raises BadInput where either is wrong."""
    header = Reader(source, settings.date_order, settings.header).header
    if not header.columns:
        return (EMPTY_FILE,)
    return (*header.notes, *_check_dates(source, settings))


@contextmanager
def name_file(file: Path) -> Iterator[None]:
    """Each message of an error begins with the file's name, because a command may send several files."""
    try:
        yield
    except CommandError as error:
        error.args = (f"{shown_name(file)}: {error}",)
        raise


def journal_header(url: httpx.URL, size: int, digest: str, settings: SendSettings) -> Header:
    address = str(url.copy_with(username=None, password=None)).rstrip("/")
    options = ["--dates dmy"] if settings.date_order == "dmy" else []
    options += [f"--columns {theirs}={ours}" for theirs, ours in sorted(settings.header.renamed.items())]
    return Header(journal=VERSION, url=address, size=size, blake2b=digest, options=" ".join(options))


class _Run:
    def __init__(self, prepared: PreparedUpload, environment: Environment, warn: Callable[[str], None]) -> None:
        self._prepared = prepared
        self._settings = settings = prepared.settings
        self._environment = environment
        self._journal = prepared.journal
        self._warn = warn
        self._has_reached_api = bool(prepared.journal.batches)
        self._stats = UploadStats()
        self._rejects = _open_rejects(settings, prepared.rows.header, prepared.journal)
        self._queryable: Queryable | None = None
        self._started = environment.clock()

    def execute(self, listener: ProgressListener) -> Summary:
        try:
            asyncio.run(self._upload(listener))
        except KeyboardInterrupt:
            return self._incomplete("Interrupted.", interrupted=True)
        except CommandError as error:
            if isinstance(error, BadInput) and not self._stats.rows_read:
                raise
            return replace(self._incomplete(str(error)), is_refused=isinstance(error, RequestRefused))
        finally:
            self._rejects.close()
        return self._summary()

    async def _upload(self, listener: ProgressListener) -> None:
        stop = Stop()
        environment = replace(self._environment, sleep=stop.interrupts(self._environment.sleep))
        batcher = Batcher(self._settings.rows_at_a_time, environment.new_key, self._journal.batches)
        pace = Pace(self._settings.rate, environment.clock, environment.sleep)
        async with open_api(self._settings.address, environment, stop.is_set, self._warn) as api:
            upload = Upload(api, batcher, self._journal, self._stats, self._rejects, listener)
            try:
                await upload.run(batcher.parts(self._prepared.rows.chunks()), pace, self._settings.in_flight, stop)
            finally:
                self._has_reached_api = self._has_reached_api or api.may_have_received
            if self._settings.wait:
                batches = self._stats.accepted_batches
                self._queryable = await wait_until_queryable(api, batches, environment)

    def _incomplete(self, ending: str, *, interrupted: bool = False) -> Summary:
        """Without a journal where there is nothing to resume: no request can have arrived, or each row has an answer.

        If none can have arrived, there are no rejects either.
        """
        may_have_arrived = self._journal.has_batches and self._has_reached_api
        if not may_have_arrived:
            self._rejects.discard()
        is_answered = self._stats.read_to_end and not self._stats.not_sent
        journal = self._journal.path if may_have_arrived and not is_answered else None
        return replace(self._summary(), ending=ending, interrupted=interrupted, journal=journal)

    def _summary(self) -> Summary:
        return Summary(
            file=self._settings.file,
            stats=self._stats,
            seconds=self._environment.clock() - self._started - (self._queryable.seconds if self._queryable else 0),
            rejects=self._rejects.path,
            form=self._prepared.form,
            resumed=bool(self._journal.batches),
            dates=self._prepared.dates,
            notes=self._prepared.notes,
            queryable=self._queryable,
            changes=self._prepared.changes,
            is_rejects=set(ADDED_COLUMNS) <= set(self._prepared.rows.header.columns),
        )


def _open_rejects(settings: SendSettings, header: FileHeader, journal: Journal) -> Rejects:
    """A file of their own, or the one that an earlier run of this upload wrote."""
    own = journal.rejects
    path = settings.rejects or (shortest_path(own) if own else next_free_path(settings.rejects_path))
    is_own = own is not None and path.absolute() == own.absolute()
    return Rejects(path, header.columns, header.separator, journal.record_rejects, is_own=is_own)


def _check_dates(source: Source, settings: SendSettings) -> tuple[str, ...]:
    """Notes for the user. Raises BadInput with the line of a date that does not fit the order: nothing was sent."""
    slashes, order = source.slashes, settings.date_order
    if not slashes.found:
        return ()
    if order != "mdy" or slashes.has_high_first:
        _check_order(Reader(source, order, settings.header).first_dates(), order)
    if settings.dates:
        return ()
    # The scan sees all bytes, so what looks like such a date may stand in another column.
    is_clear = slashes.has_high_second and Reader(source, order, settings.header).is_month_first()
    return () if is_clear else (_AMBIGUOUS,)


def _check_order(lines: dict[frozenset[DateOrder], int], order: DateOrder) -> None:
    """`lines` has a line for each set of orders that fit a date."""
    wrong = {orders: line for orders, line in lines.items() if order not in orders}
    if not wrong:
        return
    line = min(wrong.values())
    if order == "iso":
        raise BadInput(f"Line {line:,} has a date with slashes. Send the file with --dates mdy or --dates dmy.")
    other: DateOrder = "dmy" if order == "mdy" else "mdy"
    fitting = next((line for orders, line in lines.items() if orders == {order}), None)
    what = f"Line {line:,} has a date that fits only {DATES[other]}"
    if fitting is None:
        raise BadInput(f"{what}. Nothing was sent: send the file with --dates {other}.")
    raise BadInput(
        f"{what}, and line {fitting:,} one that fits only {DATES[order]}. Nothing was sent: give all dates of the "
        "file one order, or send it as two files."
    )
