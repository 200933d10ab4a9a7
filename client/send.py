"""One run of `send`: from the file to the summary."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from client.api import Address, checked_url, open_api
from client.batches import Batcher
from client.csv_file import Source, open_source
from client.environment import Outside
from client.errors import BadInput, Failure
from client.journal import VERSION, Header, Journal, check_journal_path, default_journal_path, open_journal
from client.reader import Reader
from client.rejects import Rejects, check_rejects_path, default_rejects_path
from client.report import Summary
from client.upload import Ledger, Pace, Stop, Upload, Watcher


@dataclass(frozen=True, slots=True)
class SendSettings:
    """What the command line says. `rate` is in rows a second; None for a path is its default place.

    `fresh` forgets an earlier upload that is not complete.
    """

    file: Path
    address: Address
    batch_rows: int
    in_flight: int
    rate: float | None = None
    rejects: Path | None = None
    journal: Path | None = None
    fresh: bool = False

    @property
    def journal_path(self) -> Path:
        return self.journal or default_journal_path(self.file)

    @property
    def rejects_path(self) -> Path:
        return self.rejects or default_rejects_path(self.file)

    @property
    def rows_at_a_time(self) -> int:
        """With a rate, about one request a second, so that rows come evenly."""
        return min(self.batch_rows, math.ceil(self.rate)) if self.rate else self.batch_rows


def _to_nobody(_summary: Summary) -> None:
    return


def send(
    settings: SendSettings, outside: Outside, watcher: Watcher, show: Callable[[Summary], None] = _to_nobody
) -> Summary:
    """Send the file, or go on where the last run ended. Raises BadInput where nothing was sent because the file or
    the settings are at fault.

    The journal goes only after `show` has returned: an end that nobody heard of is told again by the next run.
    """
    if settings.rate is not None and not math.isfinite(settings.rate):
        raise BadInput("The rate must be a number of rows a second.")
    with open_source(settings.file) as source:
        reader = Reader(source)
        check_rejects_path(settings.rejects_path, settings.file)
        check_journal_path(settings.journal_path, settings.file, settings.rejects_path)
        with open_journal(settings.journal_path, _header(settings, source), fresh=settings.fresh) as journal:
            summary = _Run(settings, outside, source, reader, journal).summary(watcher)
            show(summary)
            if summary.is_complete:
                journal.remove()
            return summary


def _header(settings: SendSettings, source: Source) -> Header:
    url = checked_url(settings.address.url).copy_with(username=None, password=None)
    return Header(journal=VERSION, url=str(url).rstrip("/"), size=source.size, blake2b=source.digest)


class _Run:
    def __init__(
        self, settings: SendSettings, outside: Outside, source: Source, reader: Reader, journal: Journal
    ) -> None:
        self._settings = settings
        self._outside = outside
        self._source = source
        self._reader = reader
        self._journal = journal
        self._ledger = Ledger()
        self._rejects = Rejects(settings.rejects_path, reader.columns)
        self._started = outside.clock()

    def summary(self, watcher: Watcher) -> Summary:
        try:
            asyncio.run(self._upload(watcher))
        except KeyboardInterrupt:
            return self._ended("Interrupted.", interrupted=True)
        except BadInput as failure:
            if not self._ledger.rows_read:
                raise
            return self._ended(str(failure))
        except Failure as failure:
            return self._ended(str(failure))
        finally:
            self._rejects.close()
        return self._summary()

    async def _upload(self, watcher: Watcher) -> None:
        stop = Stop()
        outside = replace(self._outside, sleep=stop.ends(self._outside.sleep))
        batcher = Batcher(self._settings.rows_at_a_time, outside.new_key, self._journal.begun)
        pace = Pace(self._settings.rate, outside.clock, outside.sleep)
        async with open_api(self._settings.address, outside, stop) as api:
            upload = Upload(api, batcher, self._journal, self._ledger, self._rejects, watcher)
            await upload.run(batcher.batches(self._reader.chunks()), pace, self._settings.in_flight, stop)

    def _ended(self, ending: str, *, interrupted: bool = False) -> Summary:
        journal = self._journal.path if self._journal.has_batches else None
        return replace(self._summary(), ending=ending, interrupted=interrupted, journal=journal)

    def _summary(self) -> Summary:
        return Summary(
            file=self._settings.file,
            ledger=self._ledger,
            seconds=self._outside.clock() - self._started,
            rejects=self._rejects.path,
            encoding=self._source.encoding,
            resumed=bool(self._journal.begun),
            note=None if self._reader.columns else "The file is empty.",
        )
