"""Batches: rows of one request, cut between invoices, packed, and named once for all its attempts."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from isal import isal_zlib

from client.errors import BadInput
from client.limits import MAX_BATCH_BYTES, MAX_PACKED_BYTES
from client.reader import Chunk
from client.records import BrokenRow
from client.responses import IngestResponse
from client.rows import Rows

# Batches that earlier runs have begun: which rows each holds, under which key, and what the API said, if it did.

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class JournaledBatch:
    """A request that was made, or was about to be. Rows are counted over the file from 0, broken ones left out.

    `size` and `digest` are the body's; `answer` None means that nobody knows whether the API has it.
    """

    key: str
    first: int
    rows: int
    size: int
    digest: str
    answer: IngestResponse | None = None

    @property
    def end(self) -> int:
        return self.first + self.rows


class BegunBatches:
    """Where they begin in the file. Asked from its first row to its last."""

    def __init__(self, begun: Iterable[JournaledBatch] = ()) -> None:
        self._left = deque(sorted(begun, key=lambda each: each.first))

    def __bool__(self) -> bool:
        return bool(self._left)

    def at(self, row: int) -> JournaledBatch | None:
        """The batch that begins with this row."""
        return self._left[0] if self._left and self._left[0].first == row else None

    def pop(self) -> None:
        self._left.popleft()

    def free_rows(self, row: int) -> int | None:
        """How many rows from this one on are in no such batch; None where all are that follow."""
        return self._left[0].first - row if self._left else None


def body_digest(body: bytes) -> str:
    return blake2b(body, digest_size=_DIGEST_BYTES).hexdigest()


_GZIP_LEVEL = 2  # of ISA-L: a twentieth fewer bytes than zlib's level 1, in a quarter of its time
_GZIP_WINDOW = 31  # 32 KiB, with gzip's header and no time in it


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request carries. `key` stays the same on every attempt; another body gets another key.

    `broken` are the rows found since the last batch that are not sent; a batch may hold nothing else. `first` counts
    the rows before it in the file. `begun` is what an earlier run knew of it; one that was answered has no body.
    """

    key: str
    rows: Rows
    body: bytes
    broken: Sequence[BrokenRow] = ()
    first: int = 0
    begun: JournaledBatch | None = None

    @property
    def size(self) -> int:
        """Of the body, in bytes."""
        return self.begun.size if self.begun else len(self.body)

    @property
    def earlier_answer(self) -> IngestResponse | None:
        return self.begun.answer if self.begun else None


class Batcher:
    """Cuts rows into batches of at most `max_rows` rows that fit into a request and into a record.

    Batches that earlier runs have begun come out again as they were: the same rows, key and bytes.
    """

    def __init__(self, max_rows: int, new_key: Callable[[], str], begun: Iterable[JournaledBatch] = ()) -> None:
        self._max_rows = max_rows
        self._new_key = new_key
        self._begun = BegunBatches(begun)
        self._row = 0

    def batches(self, chunks: Iterable[Chunk]) -> Iterator[Batch]:
        """Reads one row further than a batch at least, and at most a chunk. Raises BadInput where a batch that was
        begun cannot be made again."""
        pending = Rows()
        for chunk in chunks:
            if chunk.broken:
                yield Batch(self._new_key(), Rows(), b"", chunk.broken)
            pending = pending.concat(chunk.rows)
            done = 0
            while len(pending) - done >= self._rows_needed():
                batch = self._next(pending, done)
                done += len(batch.rows)
                yield batch
            pending = pending.part(done, len(pending))
        while pending:
            batch = self._next(pending, 0)
            yield batch
            pending = pending.part(len(batch.rows), len(pending))
        if self._begun:
            raise _made_otherwise()

    def halves(self, batch: Batch) -> list[Batch]:
        """The same rows under new keys, in two batches; there must be two rows at least."""
        middle = _end_of_invoice(batch.rows, (len(batch.rows) + 1) // 2)
        parts = batch.rows.part(0, middle), batch.rows.part(middle, len(batch.rows))
        firsts = batch.first, batch.first + middle
        return [
            Batch(self._new_key(), part, pack(part), first=first) for part, first in zip(parts, firsts, strict=True)
        ]

    def _rows_needed(self) -> int:
        """The row after a batch tells where an invoice ends; a batch that was begun is known."""
        begun = self._begun.at(self._row)
        return begun.rows if begun else self._max_rows + 1

    def _next(self, pending: Rows, start: int) -> Batch:
        begun = self._begun.at(self._row)
        batch = self._again(begun, pending, start) if begun else self._fresh(pending, start)
        self._row += len(batch.rows)
        return batch

    def _again(self, begun: JournaledBatch, pending: Rows, start: int) -> Batch:
        self._begun.pop()
        rows = pending.part(start, start + begun.rows)
        body = b"" if begun.answer else pack(rows)
        if len(rows) != begun.rows or (body and body_digest(body) != begun.digest):
            raise _made_otherwise()
        return Batch(begun.key, rows, body, first=begun.first, begun=begun)

    def _fresh(self, pending: Rows, start: int) -> Batch:
        free = self._begun.free_rows(self._row)
        most = self._max_rows + 1 if free is None else min(self._max_rows + 1, free)
        window = pending.part(start, start + most)
        rows = window.part(0, _end_of_invoice(window, self._max_rows))
        text = rows.ndjson()
        if len(text) >= MAX_BATCH_BYTES:
            rows = rows.part(0, _end_of_invoice(rows, _rows_that_fit(rows)))
            text = rows.ndjson()
        body = _packed(text)
        while len(body) > MAX_PACKED_BYTES and len(rows) > 1:
            rows = rows.part(0, _end_of_invoice(rows, (len(rows) + 1) // 2))
            body = pack(rows)
        return Batch(self._new_key(), rows, body, first=self._row)


def _made_otherwise() -> BadInput:
    return BadInput(
        "A batch of the last upload cannot be made again: another version of the client or of a library, or another "
        "kind of processor, makes it otherwise. Go on with the old one, or start anew with --fresh: rows that arrived "
        "are not counted twice."
    )


def pack(rows: Rows) -> bytes:
    """The same rows are the same bytes on one kind of processor: no time stamp goes in."""
    return _packed(rows.ndjson())


def _packed(text: memoryview) -> bytes:
    return isal_zlib.compress(text, _GZIP_LEVEL, _GZIP_WINDOW)


def _rows_that_fit(rows: Rows) -> int:
    """How many of the first rows fit into a request, one at least: one that is too large is for the API to refuse."""
    return max(1, int((rows.sizes().cumsum() <= MAX_BATCH_BYTES).sum()))


def _end_of_invoice(rows: Rows, most: int) -> int:
    """The most rows, up to `most`, after which another invoice begins; `most` itself where one fills them all."""
    if most >= len(rows):
        return len(rows)
    return max((start for start in rows.invoice_starts() if start <= most), default=most)
