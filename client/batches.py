"""Batches: the rows of one request. Each ends between invoices, is compressed, and keeps one key for all attempts."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

from isal import isal_zlib

from client.api import IngestResponse
from client.errors import BadInput
from client.journal import JournaledBatch
from client.reader import Chunk, Rows
from client.records import BrokenRow

MAX_BATCH_ROWS = 10_000
"""The API's limit on the rows of one request."""

MAX_BATCH_BYTES = 4 * 1024 * 1024
"""The API's limit on a request's inflated body."""

MAX_PACKED_BYTES = 1024 * 1024 - 1024
"""A gzip body must fit into one Kinesis record: 1 MiB, less room for its key."""

_GZIP_LEVEL = 2  # of ISA-L: 6 % fewer bytes than zlib's level 1, in a quarter of its time
_GZIP_WINDOW = 31  # 32 KiB, with gzip's header, which holds no time here
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request carries. Another body gets another key. `first` counts the rows before it in the file."""

    key: str
    first: int
    rows: Rows
    body: bytes

    def journaled(self) -> JournaledBatch:
        return JournaledBatch(self.key, self.first, len(self.rows), len(self.body), _digest(self.body))

    def answered(self, response: IngestResponse) -> "AnsweredBatch":
        return AnsweredBatch(self.key, self.rows, len(self.body), response)


@dataclass(frozen=True, slots=True)
class AnsweredBatch:
    """A batch and what the API said of it, in this run or in an earlier one. `size` is the body's, in bytes."""

    key: str
    rows: Rows
    size: int
    response: IngestResponse
    is_resumed: bool = False


@dataclass(frozen=True, slots=True)
class BrokenRows:
    """Rows of the file that are not sent, because they cannot be divided into fields."""

    rows: Sequence[BrokenRow]


Part: TypeAlias = Batch | AnsweredBatch | BrokenRows
"""A part of the file, in file order."""


class Batcher:
    """Cuts rows into batches of at most `max_rows` rows that fit into a request and into a record.

    `journaled` are the batches of earlier runs. They come out again as they were: with the same rows, key and bytes.
    """

    def __init__(self, max_rows: int, new_key: Callable[[], str], journaled: Iterable[JournaledBatch] = ()) -> None:
        self._max_rows = max_rows
        self._new_key = new_key
        self._pending = deque(sorted(journaled, key=lambda each: each.first))
        self._row = 0

    def parts(self, chunks: Iterable[Chunk]) -> Iterator[Part]:
        """The whole file, in order. Reads at least a row and at most a chunk ahead.

        Raises BadInput where a batch of an earlier run cannot be made again.
        """
        buffer = Rows()
        for chunk in chunks:
            if chunk.broken:
                yield BrokenRows(chunk.broken)
            buffer = buffer.concat(chunk.rows)
            done = 0
            while len(buffer) - done >= self._rows_needed():
                batch = self._next(buffer, done)
                done += len(batch.rows)
                yield batch
            buffer = buffer.part(done, len(buffer))
        while buffer:
            batch = self._next(buffer, 0)
            yield batch
            buffer = buffer.part(len(batch.rows), len(buffer))
        if self._pending:
            raise _CannotReplay

    def split(self, batch: Batch) -> list[Batch]:
        """The same rows in two batches with new keys. The batch must have at least two rows."""
        middle = _end_of_invoice(batch.rows, (len(batch.rows) + 1) // 2)
        left, right = batch.rows.part(0, middle), batch.rows.part(middle, len(batch.rows))
        return [
            Batch(self._new_key(), batch.first, left, pack(left)),
            Batch(self._new_key(), batch.first + middle, right, pack(right)),
        ]

    def _rows_needed(self) -> int:
        """One row more than a new batch, to see where its last invoice ends."""
        replayed = self._replayed()
        return replayed.rows if replayed else self._max_rows + 1

    def _replayed(self) -> JournaledBatch | None:
        """The batch of an earlier run that begins with the next row."""
        return self._pending[0] if self._pending and self._pending[0].first == self._row else None

    def _next(self, buffer: Rows, start: int) -> Batch | AnsweredBatch:
        replayed = self._replayed()
        batch = self._replay(replayed, buffer, start) if replayed else self._new(buffer, start)
        self._row += len(batch.rows)
        return batch

    def _replay(self, journaled: JournaledBatch, buffer: Rows, start: int) -> Batch | AnsweredBatch:
        self._pending.popleft()
        rows = buffer.part(start, start + journaled.rows)
        if len(rows) != journaled.rows:
            raise _CannotReplay
        if journaled.response:
            return AnsweredBatch(journaled.key, rows, journaled.size, journaled.response, is_resumed=True)
        body = pack(rows)
        if _digest(body) != journaled.digest:
            raise _CannotReplay
        return Batch(journaled.key, journaled.first, rows, body)

    def _new(self, buffer: Rows, start: int) -> Batch:
        most = self._max_rows + 1
        if self._pending:
            most = min(most, self._pending[0].first - self._row)
        window = buffer.part(start, start + most)
        rows = window.part(0, _end_of_invoice(window, self._max_rows))
        text = rows.ndjson()
        if len(text) >= MAX_BATCH_BYTES:
            rows = rows.part(0, _end_of_invoice(rows, _rows_that_fit(rows)))
            text = rows.ndjson()
        body = _compress(text)
        while len(body) > MAX_PACKED_BYTES and len(rows) > 1:
            rows = rows.part(0, _end_of_invoice(rows, (len(rows) + 1) // 2))
            body = pack(rows)
        return Batch(self._new_key(), self._row, rows, body)


class _CannotReplay(BadInput):
    def __init__(self) -> None:
        super().__init__(
            "The client cannot make a batch of the last upload again with the same bytes. Another version of the "
            "client or of a library, or another kind of processor, wrote it. Resume with the old one, or start anew "
            "with --fresh: rows that arrived are not counted twice."
        )


def pack(rows: Rows) -> bytes:
    """Deterministic on one kind of processor."""
    return _compress(rows.ndjson())


def _compress(text: memoryview) -> bytes:
    return isal_zlib.compress(text, _GZIP_LEVEL, _GZIP_WINDOW)


def _digest(body: bytes) -> str:
    return blake2b(body, digest_size=_DIGEST_BYTES).hexdigest()


def _rows_that_fit(rows: Rows) -> int:
    """How many of the first rows fit into a request. At least one: the API refuses a row that is too large."""
    return max(1, int((rows.sizes().cumsum() <= MAX_BATCH_BYTES).sum()))


def _end_of_invoice(rows: Rows, most: int) -> int:
    """The most rows, up to `most`, after which another invoice begins; `most` itself where one invoice fills them."""
    if most >= len(rows):
        return len(rows)
    return max((start for start in rows.invoice_starts() if start <= most), default=most)
