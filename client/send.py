"""One run of `send`: from the file to the summary."""

import asyncio
import math
from dataclasses import dataclass, replace
from pathlib import Path

from client.api import Address, open_api
from client.batches import Batcher
from client.failures import BadInput, Failure
from client.ledger import Ledger
from client.outside import Outside
from client.pace import Pace
from client.reader import Reader
from client.rejects import Rejects, check_rejects_path, default_rejects_path
from client.source import Source, open_source
from client.summary import Summary
from client.upload import Stop, Upload, Watcher


@dataclass(frozen=True, slots=True)
class SendSettings:
    """What the command line says. `rate` is in rows a second; `rejects` None is the default place."""

    file: Path
    address: Address
    batch_rows: int
    in_flight: int
    rate: float | None = None
    rejects: Path | None = None

    @property
    def rejects_path(self) -> Path:
        return self.rejects or default_rejects_path(self.file)

    @property
    def rows_at_a_time(self) -> int:
        """With a rate, about one request a second, so that rows come evenly."""
        return min(self.batch_rows, math.ceil(self.rate)) if self.rate else self.batch_rows


def send(settings: SendSettings, outside: Outside, watcher: Watcher) -> Summary:
    """Send the file. Raises BadInput where nothing was sent because the file or the settings are at fault."""
    if settings.rate is not None and not math.isfinite(settings.rate):
        raise BadInput("The rate must be a number of rows a second.")
    with open_source(settings.file) as source:
        reader = Reader(source)
        check_rejects_path(settings.rejects_path, settings.file)
        return _Run(settings, outside, source, reader).summary(watcher)


class _Run:
    def __init__(self, settings: SendSettings, outside: Outside, source: Source, reader: Reader) -> None:
        self._settings = settings
        self._outside = outside
        self._source = source
        self._reader = reader
        self._ledger = Ledger()
        self._rejects = Rejects(settings.rejects_path, reader.columns)
        self._started = outside.clock()

    def summary(self, watcher: Watcher) -> Summary:
        try:
            asyncio.run(self._upload(watcher))
        except KeyboardInterrupt:
            return replace(self._summary(), ending="Interrupted.", interrupted=True)
        except BadInput as failure:
            if not self._ledger.rows_read:
                raise
            return replace(self._summary(), ending=str(failure))
        except Failure as failure:
            return replace(self._summary(), ending=str(failure))
        finally:
            self._rejects.close()
        return self._summary()

    async def _upload(self, watcher: Watcher) -> None:
        stop = Stop()
        outside = replace(self._outside, sleep=stop.ends(self._outside.sleep))
        batcher = Batcher(self._settings.rows_at_a_time, outside.new_key)
        pace = Pace(self._settings.rate, outside.clock, outside.sleep)
        async with open_api(self._settings.address, outside, stop) as api:
            upload = Upload(api, batcher, self._ledger, self._rejects, watcher)
            await upload.run(batcher.batches(self._reader.chunks()), pace, self._settings.in_flight, stop)

    def _summary(self) -> Summary:
        return Summary(
            file=self._settings.file,
            ledger=self._ledger,
            seconds=self._outside.clock() - self._started,
            rejects=self._rejects.path,
            encoding=self._source.encoding,
            note=None if self._reader.columns else "The file is empty.",
        )
