"""One run of `send`, from the file to the summary."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from client.api import Address, open_api, parse_url
from client.batches import Batcher
from client.csv_file import Source, open_source
from client.dates import DateOrder
from client.environment import Environment
from client.errors import BadInput, CommandError
from client.journal import VERSION, Header, Journal, check_journal_path, default_journal_path, open_journal
from client.reader import Reader
from client.rejects import Rejects, check_rejects_path, default_rejects_path, next_free_path
from client.report import Summary
from client.upload import Pace, ProgressListener, Stop, Upload, UploadStats

_AMBIGUOUS = (
    "Every date of the file can be read as month/day and as day/month. They were read as month/day; if that is wrong, "
    "send the file with --dates dmy."
)
_ORDERS: dict[DateOrder, str] = {"mdy": "month/day/year", "dmy": "day/month/year"}


@dataclass(frozen=True, slots=True)
class SendSettings:
    """What the command line says. `rate` is in rows a second; None for a path is its default place.

    `dates` None: month first, unless the file says otherwise. `fresh` forgets an earlier upload that is not complete.
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

    @property
    def journal_path(self) -> Path:
        return self.journal or default_journal_path(self.file)

    @property
    def rejects_path(self) -> Path:
        return self.rejects or default_rejects_path(self.file)

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
    """Send the file, or go on where the last run ended.

    Raises BadInput where the file or a setting is wrong and nothing was sent. The journal is removed only after `show`
    has returned, so that the next run repeats a summary that nobody saw.
    """
    if settings.rate is not None and not math.isfinite(settings.rate):
        raise BadInput("The rate must be a number of rows a second.")
    with open_source(settings.file) as source:
        notes = _check_dates(source, settings)
        reader = Reader(source, settings.date_order)
        check_rejects_path(settings.rejects_path, settings.file)
        check_journal_path(settings.journal_path, settings.file, settings.rejects_path)
        with open_journal(settings.journal_path, _header(settings, source), fresh=settings.fresh) as journal:
            summary = _Run(settings, environment, source, reader, journal, warn).execute(listener)
            summary = replace(summary, notes=(*summary.notes, *notes))
            show(summary)
            if summary.is_complete or not summary.journal:
                journal.remove()
            return summary


def _header(settings: SendSettings, source: Source) -> Header:
    url = parse_url(settings.address.url).copy_with(username=None, password=None)
    return Header(journal=VERSION, url=str(url).rstrip("/"), size=source.size, blake2b=source.digest)


class _Run:
    def __init__(  # noqa: PLR0913, PLR0917 - what one run is made of
        self,
        settings: SendSettings,
        environment: Environment,
        source: Source,
        reader: Reader,
        journal: Journal,
        warn: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._source = source
        self._reader = reader
        self._journal = journal
        self._warn = warn
        self._has_reached_api = bool(journal.batches)
        self._stats = UploadStats()
        self._rejects = _open_rejects(settings, reader, journal)
        self._started = environment.clock()

    def execute(self, listener: ProgressListener) -> Summary:
        try:
            asyncio.run(self._upload(listener))
        except KeyboardInterrupt:
            return self._incomplete("Interrupted.", interrupted=True)
        except CommandError as error:
            if isinstance(error, BadInput) and not self._stats.rows_read:
                raise
            return self._incomplete(str(error))
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
                await upload.run(batcher.parts(self._reader.chunks()), pace, self._settings.in_flight, stop)
            finally:
                self._has_reached_api = self._has_reached_api or api.may_have_received

    def _incomplete(self, ending: str, *, interrupted: bool = False) -> Summary:
        """Without a journal if no request can have arrived: then there is nothing to resume."""
        journal = self._journal.path if self._journal.has_batches and self._has_reached_api else None
        return replace(self._summary(), ending=ending, interrupted=interrupted, journal=journal)

    def _summary(self) -> Summary:
        return Summary(
            file=self._settings.file,
            stats=self._stats,
            seconds=self._environment.clock() - self._started,
            rejects=self._rejects.path,
            encoding=self._source.encoding,
            resumed=bool(self._journal.batches),
            dates=self._settings.date_order if self._source.slashes.found else "iso",
            notes=() if self._reader.columns else ("The file is empty.",),
        )


def _open_rejects(settings: SendSettings, reader: Reader, journal: Journal) -> Rejects:
    """A file of their own, or the one that an earlier run of this upload wrote."""
    path = settings.rejects or journal.rejects or next_free_path(settings.rejects_path)
    return Rejects(path, reader.columns, journal.record_rejects, is_own=path == journal.rejects)


def _check_dates(source: Source, settings: SendSettings) -> tuple[str, ...]:
    """Notes for the user. Raises BadInput with the line of a date that does not fit the order: nothing was sent."""
    slashes, order = source.slashes, settings.date_order
    if not slashes.found:
        return ()
    if order != "mdy" or slashes.has_high_first:
        _check_order(Reader(source).first_dates(), order)
    if settings.dates is None and not slashes.has_high_second:
        return (_AMBIGUOUS,)
    return ()


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
    what = f"Line {line:,} has a date that fits only {_ORDERS[other]}"
    if fitting is None:
        raise BadInput(f"{what}. Nothing was sent: send the file with --dates {other}.")
    raise BadInput(
        f"{what}, and line {fitting:,} one that fits only {_ORDERS[order]}. Nothing was sent: give all dates of the "
        "file one order, or send it as two files."
    )
