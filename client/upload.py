"""Sends batches, several at a time, until the file ends or the upload cannot go on."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from client.api import Api, IngestResponse, RowError
from client.batches import AnsweredBatch, Batch, Batcher, BrokenRows, Part
from client.errors import BodyTooLarge, CommandError
from client.journal import Journal
from client.reader import Rows
from client.rejects import Rejects

Sleep: TypeAlias = Callable[[float], Awaitable[None]]


class ProgressListener(Protocol):
    """Is told of each batch after its response."""

    def batch_answered(self, batch: AnsweredBatch) -> None: ...


class Upload:
    """Sends each batch once, and keeps the journal, the rejects and the stats. One run only."""

    def __init__(  # noqa: PLR0913, PLR0917 - a batch passes through each of them
        self,
        api: Api,
        batcher: Batcher,
        journal: Journal,
        stats: "UploadStats",
        rejects: Rejects,
        listener: ProgressListener,
    ) -> None:
        self._api = api
        self._batcher = batcher
        self._journal = journal
        self._stats = stats
        self._rejects = rejects
        self._listener = listener
        self._read_lock = asyncio.Lock()
        self._read_thread = ThreadPoolExecutor(1)  # each thread would keep memory of its own
        self._errors: list[CommandError] = []

    async def run(self, parts: Iterator[Part], pace: "Pace", in_flight: int, stop: "Stop") -> None:
        """Send all parts. Raises the CommandError that ended the upload early, after the requests in flight have ended.

        At most `in_flight` batches are held at a time: each sender takes one from the file when it is free.
        """
        with self._read_thread:
            await asyncio.gather(*(self._send_all(parts, pace, stop) for _ in range(in_flight)))
        if self._errors:
            raise self._errors[0]

    async def _send_all(self, parts: Iterator[Part], pace: "Pace", stop: "Stop") -> None:
        try:
            while batch := await self._next(parts, pace, stop):
                await self._send(batch)
        except CommandError as error:
            self._errors.append(error)
            stop.set()

    async def _next(self, parts: Iterator[Part], pace: "Pace", stop: "Stop") -> Batch | None:
        """The next batch to send. Parts before it that need no request are settled."""
        async with self._read_lock:
            while not stop.is_set() and not self._stats.read_to_end:
                part = await asyncio.get_running_loop().run_in_executor(self._read_thread, next, parts, None)
                if part is None:
                    self._stats.read_to_end = True
                    return None
                self._stats.add(part)
                if isinstance(part, Batch):
                    await pace.wait_for(len(part.rows))
                    return None if stop.is_set() else part
                self._settle(part)
        return None

    async def _send(self, batch: Batch) -> None:
        await self._journal.record_batch(batch.journaled())
        try:
            response = await self._api.ingest(batch.key, batch.body, len(batch.rows))
        except BodyTooLarge as error:
            await self._send_split(batch, error)
        else:
            self._settle_response(batch, response)

    async def _send_split(self, batch: Batch, too_large: BodyTooLarge) -> None:
        if len(batch.rows) == 1:  # no smaller batch helps, so the row is rejected with the API's reason
            error = RowError(index=0, field=None, message=str(too_large))
            self._settle_response(batch, IngestResponse(accepted=0, rejected=1, errors=[error]))
            return
        halves = self._batcher.split(batch)
        self._journal.record_split(batch.key)
        self._stats.replace(batch, halves)
        for half in halves:
            await self._send(half)

    def _settle_response(self, batch: Batch, response: IngestResponse) -> None:
        self._journal.record_response(batch.key, response)
        self._settle(batch.answered(response))

    def _settle(self, part: AnsweredBatch | BrokenRows) -> None:
        """Keep the rejected rows and count. Nothing is sent."""
        if isinstance(part, BrokenRows):
            for row in part.rows:
                self._rejects.add(row.line, "", row.reason, row.text)
            return
        for index, errors in _by_row(part.response["errors"]).items():
            fields = "; ".join(error["field"] or "" for error in errors)
            reasons = "; ".join(_reason(error) for error in errors)
            self._rejects.add(part.rows.line(index), fields, reasons, part.rows.original(index))
        self._stats.count(part)
        self._listener.batch_answered(part)


class Pace:
    """Lets at most `rate` rows a second pass, measured from the first; None lets all pass at once."""

    def __init__(self, rate: float | None, clock: Callable[[], float], sleep: Sleep) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._started: float | None = None
        self._passed = 0

    async def wait_for(self, rows: int) -> None:
        """Return when these rows may go."""
        if self._rate is None:
            return
        self._started = self._clock() if self._started is None else self._started
        pause = self._started + self._passed / self._rate - self._clock()
        self._passed += rows
        if pause > 0:
            await self._sleep(pause)


class Stop:
    """Set once, when the upload cannot go on; it ends pauses early."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def is_set(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        self._event.set()

    def interrupts(self, sleep: Sleep) -> Sleep:
        """The same sleep, but it ends as soon as this is set."""

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

    All are of the whole file; `resumed` of its rows have their response from earlier runs. `accepted_batches` are the
    ids of the batches with accepted rows.
    """

    rows_read: int = 0
    accepted: int = 0
    rejected: int = 0
    batches: int = 0
    bytes_sent: int = 0
    resumed: int = 0
    read_to_end: bool = False
    accepted_batches: list[str] = field(default_factory=list)
    _next_line: int = 1
    _open: dict[str, Rows] = field(default_factory=dict)

    @property
    def not_sent(self) -> int:
        """Rows that were read and have no response."""
        return sum(map(len, self._open.values()))

    def add(self, part: Part) -> None:
        """Count a part when it was read."""
        self.rows_read += len(part.rows)
        if isinstance(part, BrokenRows):
            self.rejected += len(part.rows)
        else:
            self._open[part.key] = part.rows
            self._next_line = part.rows.line(-1) + 1

    def replace(self, batch: Batch, halves: Sequence[Batch]) -> None:
        """Count the halves instead of the batch."""
        del self._open[batch.key]
        self._open |= {half.key: half.rows for half in halves}

    def count(self, batch: AnsweredBatch) -> None:
        """Count a response."""
        del self._open[batch.key]
        self.accepted += batch.response["accepted"]
        if batch.response["accepted"]:
            self.accepted_batches.append(batch.key)
        self.rejected += batch.response["rejected"]
        self.batches += 1
        self.bytes_sent += batch.size
        if batch.is_resumed:
            self.resumed += len(batch.rows)

    def not_sent_lines(self) -> list[LineRange]:
        """The lines of the rows without a response, and the rest of the file if it was not read."""
        ranges = [LineRange(rows.line(0), rows.line(-1)) for rows in self._open.values()]
        if not self.read_to_end:
            ranges.append(LineRange(self._next_line, None))
        return _join_ranges(sorted(ranges, key=lambda each: each.first))


def _join_ranges(ranges: Sequence[LineRange]) -> list[LineRange]:
    joined: list[LineRange] = []
    for each in ranges:
        if joined and joined[-1].last == each.first - 1:
            each = LineRange(joined.pop().first, each.last)  # noqa: PLW2901 - the two become one
        joined.append(each)
    return joined


def _by_row(errors: Sequence[RowError]) -> dict[int, list[RowError]]:
    by_row: dict[int, list[RowError]] = defaultdict(list)
    for error in errors:
        by_row[error["index"]].append(error)
    return by_row


def _reason(error: RowError) -> str:
    return f"{error['field']} {error['message']}" if error["field"] else error["message"]
