"""Sends batches, several at a time, until the file ends or the upload cannot go on."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from client.api import Api
from client.batches import Batch, Batcher
from client.errors import BodyTooLarge, CommandError
from client.journal import Journal
from client.rejects import Rejects
from client.responses import IngestResponse, RowError

# Holds rows back so that they come as fast as in real time.


class Pace:
    """Lets at most `rate` rows a second pass, measured from the first; None lets all pass at once."""

    def __init__(
        self, rate: float | None, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._started: float | None = None
        self._passed = 0

    async def wait_for(self, rows: int) -> None:
        """Returns when these rows may go."""
        if self._rate is None:
            return
        self._started = self._clock() if self._started is None else self._started
        pause = self._started + self._passed / self._rate - self._clock()
        self._passed += rows
        if pause > 0:
            await self._sleep(pause)


# What became of every row that was read.

_FIRST_LINE = 1


@dataclass(frozen=True, slots=True)
class LineRange:
    """Lines of the file, both ends included; `last` None is the end of the file."""

    first: int
    last: int | None

    def __str__(self) -> str:
        if self.last is None:
            return f"line {self.first:,} to the end of the file"
        return f"lines {self.first:,} to {self.last:,}" if self.last > self.first else f"line {self.first:,}"


@dataclass(slots=True)
class UploadStats:
    """Counts of rows and requests. At any time: rows_read = accepted + rejected + not_sent.

    All are of the whole file; `resumed` of its rows were answered in earlier runs.
    """

    rows_read: int = 0
    accepted: int = 0
    rejected: int = 0
    batches: int = 0
    bytes_sent: int = 0
    resumed: int = 0
    read_to_end: bool = False
    _next_line: int = _FIRST_LINE
    _open: dict[str, Batch] = field(default_factory=dict)

    @property
    def not_sent(self) -> int:
        """Rows that were read and have no answer."""
        return sum(len(batch.rows) for batch in self._open.values())

    def taken(self, batch: Batch) -> None:
        """A batch came from the file."""
        self.rows_read += len(batch.rows) + len(batch.broken)
        self.rejected += len(batch.broken)
        if batch.rows:
            self._open[batch.key] = batch
            self._next_line = batch.rows.line(-1) + 1

    def split(self, batch: Batch, parts: Sequence[Batch]) -> None:
        """The parts stand for the batch from now on."""
        del self._open[batch.key]
        self._open |= {part.key: part for part in parts}

    def answered(self, batch: Batch, accepted: int, rejected: int) -> None:
        del self._open[batch.key]
        self.accepted += accepted
        self.rejected += rejected
        self.batches += 1
        self.bytes_sent += batch.size
        if batch.earlier_answer:
            self.resumed += len(batch.rows)

    def not_sent_lines(self) -> list[LineRange]:
        """Where the rows stand that have no answer, and the rest of the file if it was not read."""
        ranges = [LineRange(batch.rows.line(0), batch.rows.line(-1)) for batch in self._open.values()]
        if not self.read_to_end:
            ranges.append(LineRange(self._next_line, None))
        return _joined(sorted(ranges, key=lambda each: each.first))


def _joined(ranges: Sequence[LineRange]) -> list[LineRange]:
    joined: list[LineRange] = []
    for each in ranges:
        if joined and joined[-1].last == each.first - 1:
            each = LineRange(joined.pop().first, each.last)  # noqa: PLW2901 - the two become one
        joined.append(each)
    return joined


class ProgressListener(Protocol):
    """Is told of each batch that the API answered."""

    def batch_answered(self, batch: Batch, answer: IngestResponse) -> None: ...


class Stop:
    """Set once, when the upload cannot go on; ends pauses early."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        self._event.set()

    def ends(self, sleep: Callable[[float], Awaitable[None]]) -> Callable[[float], Awaitable[None]]:
        """The same sleep, but over as soon as this is set."""

        async def pause(seconds: float) -> None:
            waits: list[asyncio.Future[object]] = [
                asyncio.ensure_future(sleep(seconds)),
                asyncio.ensure_future(self._event.wait()),
            ]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()

        return pause


class Upload:
    """Sends each batch once, keeps the journal and the stats. One run only."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is another part of the world that a batch goes through
        self,
        api: Api,
        batcher: Batcher,
        journal: Journal,
        stats: UploadStats,
        rejects: Rejects,
        watcher: ProgressListener,
    ) -> None:
        self._api = api
        self._batcher = batcher
        self._journal = journal
        self._stats = stats
        self._rejects = rejects
        self._watcher = watcher
        self._reading = asyncio.Lock()
        self._reader = ThreadPoolExecutor(1)  # in turn on several threads, each would keep memory of its own
        self._failures: list[CommandError] = []

    async def run(self, batches: Iterator[Batch], pace: Pace, in_flight: int, stop: Stop) -> None:
        """Raises the CommandError that ended the upload early; batches that were on their way then are waited for.

        At most `in_flight` batches are held at a time: each sender takes one from the file when it is free.
        """
        with self._reader:
            await asyncio.gather(*(self._send_all(batches, pace, stop) for _ in range(in_flight)))
        if self._failures:
            raise self._failures[0]

    async def _send_all(self, batches: Iterator[Batch], pace: Pace, stop: Stop) -> None:
        try:
            while batch := await self._next(batches, pace, stop):
                await self._send(batch)
        except CommandError as failure:
            self._failures.append(failure)
            stop.set()

    async def _next(self, batches: Iterator[Batch], pace: Pace, stop: Callable[[], bool]) -> Batch | None:
        async with self._reading:
            if stop() or self._stats.read_to_end:
                return None
            batch = await asyncio.get_running_loop().run_in_executor(self._reader, next, batches, None)
            if batch is None:
                self._stats.read_to_end = True
                return None
            self._take(batch)
            if not batch.earlier_answer:
                await pace.wait_for(len(batch.rows))
            return None if stop() else batch

    def _take(self, batch: Batch) -> None:
        self._stats.taken(batch)
        for row in batch.broken:
            self._rejects.add(row.line, "", row.reason, row.text)

    async def _send(self, batch: Batch) -> None:
        if not batch.rows:
            return
        if batch.earlier_answer:
            self._count(batch, batch.earlier_answer)
            return
        await self._journal.begin(batch)
        try:
            answer = await self._api.ingest(batch)
        except BodyTooLarge as refusal:
            await self._send_halves(batch, refusal)
        else:
            self._settle(batch, answer)

    async def _send_halves(self, batch: Batch, refusal: BodyTooLarge) -> None:
        if len(batch.rows) == 1:
            error = RowError(index=0, field=None, message=str(refusal))
            self._settle(batch, IngestResponse(accepted=0, rejected=1, errors=[error]))
            return
        halves = self._batcher.halves(batch)
        self._journal.split(batch)
        self._stats.split(batch, halves)
        for half in halves:
            await self._send(half)

    def _settle(self, batch: Batch, answer: IngestResponse) -> None:
        self._journal.answered(batch, answer)
        self._count(batch, answer)

    def _count(self, batch: Batch, answer: IngestResponse) -> None:
        rows = batch.rows
        for index, errors in _by_row(answer["errors"]).items():
            fields = "; ".join(error["field"] or "" for error in errors)
            reasons = "; ".join(_reason(error) for error in errors)
            self._rejects.add(rows.line(index), fields, reasons, rows.original(index))
        self._stats.answered(batch, answer["accepted"], answer["rejected"])
        self._watcher.batch_answered(batch, answer)


def _by_row(errors: Sequence[RowError]) -> dict[int, list[RowError]]:
    by_row: dict[int, list[RowError]] = defaultdict(list)
    for error in errors:
        by_row[error["index"]].append(error)
    return by_row


def _reason(error: RowError) -> str:
    return f"{error['field']} {error['message']}" if error["field"] else error["message"]
