"""Sends batches, several at a time, until the file ends or the upload cannot go on."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from client.answers import IngestAnswer, RowError
from client.api import Api
from client.batches import Batch, Batcher
from client.failures import BodyTooLarge, Failure
from client.journal import Journal
from client.ledger import Ledger
from client.pace import Pace
from client.rejects import Rejects


class Watcher(Protocol):
    """Is told of each batch that the API answered."""

    def batch_answered(self, batch: Batch, answer: IngestAnswer) -> None: ...


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
    """Sends each batch once, keeps the journal and the ledger. One run only."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is another part of the world that a batch goes through
        self, api: Api, batcher: Batcher, journal: Journal, ledger: Ledger, rejects: Rejects, watcher: Watcher
    ) -> None:
        self._api = api
        self._batcher = batcher
        self._journal = journal
        self._ledger = ledger
        self._rejects = rejects
        self._watcher = watcher
        self._reading = asyncio.Lock()
        self._reader = ThreadPoolExecutor(1)  # in turn on several threads, each would keep memory of its own
        self._failures: list[Failure] = []

    async def run(self, batches: Iterator[Batch], pace: Pace, in_flight: int, stop: Stop) -> None:
        """Raises the Failure that ended the upload early; batches that were on their way then are waited for.

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
        except Failure as failure:
            self._failures.append(failure)
            stop.set()

    async def _next(self, batches: Iterator[Batch], pace: Pace, stop: Callable[[], bool]) -> Batch | None:
        async with self._reading:
            if stop() or self._ledger.read_to_end:
                return None
            batch = await asyncio.get_running_loop().run_in_executor(self._reader, next, batches, None)
            if batch is None:
                self._ledger.read_to_end = True
                return None
            self._take(batch)
            if not batch.earlier_answer:
                await pace.wait_for(len(batch.rows))
            return None if stop() else batch

    def _take(self, batch: Batch) -> None:
        self._ledger.taken(batch)
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
            self._settle(batch, IngestAnswer(accepted=0, rejected=1, errors=[error]))
            return
        halves = self._batcher.halves(batch)
        self._journal.split(batch)
        self._ledger.split(batch, halves)
        for half in halves:
            await self._send(half)

    def _settle(self, batch: Batch, answer: IngestAnswer) -> None:
        self._journal.answered(batch, answer)
        self._count(batch, answer)

    def _count(self, batch: Batch, answer: IngestAnswer) -> None:
        rows = batch.rows
        for index, errors in _by_row(answer["errors"]).items():
            fields = "; ".join(error["field"] or "" for error in errors)
            reasons = "; ".join(_reason(error) for error in errors)
            self._rejects.add(rows.line(index), fields, reasons, rows.original(index))
        self._ledger.answered(batch, answer["accepted"], answer["rejected"])
        self._watcher.batch_answered(batch, answer)


def _by_row(errors: Sequence[RowError]) -> dict[int, list[RowError]]:
    by_row: dict[int, list[RowError]] = defaultdict(list)
    for error in errors:
        by_row[error["index"]].append(error)
    return by_row


def _reason(error: RowError) -> str:
    return f"{error['field']} {error['message']}" if error["field"] else error["message"]
