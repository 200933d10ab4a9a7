"""The journal beside the file: every batch before its request goes out, and every answer, so that any end can resume.

It holds no content of a row: a resumed upload reads the file again anyway.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from client.answers import IngestAnswer
from client.batches import Batch
from client.begun import Begun, body_digest
from client.failures import CannotWrite
from client.journal_entries import (
    AnsweredEntry,
    BegunEntry,
    Entry,
    Header,
    Past,
    SplitEntry,
    to_line,
)

_Sync = Callable[[int], None]


class Journal:
    """Open, locked and only ever appended to. Nothing more is written once a write has failed."""

    def __init__(self, path: Path, file: BinaryIO, past: Past, sync: _Sync = os.fsync) -> None:
        self.path = path
        self._file = file
        self._past = past
        self._sync = sync
        self._written = past.size
        self._safe = 0
        self._has_batches = bool(past.begun)
        self._syncing = asyncio.Lock()
        self._failed = False

    @property
    def begun(self) -> Sequence[Begun]:
        """The batches of earlier runs."""
        return list(self._past.begun.values())

    @property
    def has_batches(self) -> bool:
        return self._has_batches

    async def begin(self, batch: Batch) -> None:
        """Returns when the batch is on disk, so that its request may go out. Raises CannotWrite.

        The answers that came before are on disk then, too: one wait for each batch, shared by those in flight.
        """
        if batch.begun is None:
            self._has_batches = True
            self._append(
                BegunEntry(
                    begun=batch.key,
                    first=batch.first,
                    rows=len(batch.rows),
                    bytes=len(batch.body),
                    blake2b=body_digest(batch.body),
                )
            )
        await self._until_safe(self._written)

    def answered(self, batch: Batch, answer: IngestAnswer) -> None:
        """Raises CannotWrite: then the batch counts as unanswered, and is sent again under its key."""
        self._append(AnsweredEntry(answered=batch.key, **answer))

    def split(self, batch: Batch) -> None:
        self._append(SplitEntry(split=batch.key))

    def start(self, header: Header) -> None:
        """Empty it and write its first line, or cut off what the last run could not finish."""
        with _writable():
            os.truncate(self._file.fileno(), self._past.size)
        if self._past.header is None:
            self._append(header)
        with _writable():
            self._sync(self._file.fileno())
            _sync_folder(self.path.parent)
        self._safe = self._written

    def remove(self) -> None:
        """An upload that is complete needs none. Should it stay after all, the next run only tells the end again."""
        with suppress(OSError):
            self.path.unlink()

    def _append(self, entry: Entry) -> None:
        line = to_line(entry)
        with self._once_failed_for_ever():
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._file.fileno(), rest) :]
        self._written += len(line)

    async def _until_safe(self, end: int) -> None:
        async with self._syncing:
            if self._safe >= end:
                return
            written = self._written
            with self._once_failed_for_ever():
                await asyncio.to_thread(self._sync, self._file.fileno())
            self._safe = written

    @contextmanager
    def _once_failed_for_ever(self) -> Iterator[None]:
        """After half a line nothing may follow, and after a failed fsync the next one may report success."""
        if self._failed:
            raise CannotWrite("The journal cannot be written.")
        try:
            with _writable():
                yield
        except CannotWrite:
            self._failed = True
            raise


def _sync_folder(folder: Path) -> None:
    """A new file's name is safe only then."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _writable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"The journal cannot be written: {error.strerror or type(error).__name__}.") from error
