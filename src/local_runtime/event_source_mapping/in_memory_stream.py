"""A stream in this process, for tests: it reads as Kinesis does, and fails when told to."""

import zlib
from collections.abc import Sequence

from local_runtime.event_source_mapping.clock import Clock
from local_runtime.event_source_mapping.reader import IteratorExpired, Page, Position, Shard
from local_runtime.event_source_mapping.records import StreamRecord

_FIRST_SEQUENCE_NUMBER = 9  # so that 9 and 10 follow each other: as text they would change places


class InMemoryStream:
    """Records put with one partition key go to one shard. An iterator names its shard, place and generation."""

    def __init__(self, clock: Clock, *, shards: int = 1) -> None:
        self._clock = clock
        self._records: dict[str, list[StreamRecord]] = {_shard_id(number): [] for number in range(shards)}
        self._parents: dict[str, tuple[str, ...]] = {}
        self._closed: set[str] = set()
        self._next_number = _FIRST_SEQUENCE_NUMBER
        self._generation = 0
        self._faults: list[Exception] = []

    def put(self, partition_key: str, data: bytes = b"") -> StreamRecord:
        """The record as it will be read."""
        open_shards = sorted(self._records.keys() - self._closed)
        shard_id = open_shards[zlib.crc32(partition_key.encode()) % len(open_shards)]
        record = StreamRecord(shard_id, str(self._next_number), partition_key, data, self._clock.now())
        self._records[shard_id].append(record)
        self._next_number += 1
        return record

    def split(self, shard_id: str) -> tuple[str, str]:
        """Close the shard; two children follow it."""
        first, second = (_shard_id(len(self._records) + offset) for offset in (0, 1))
        self._closed.add(shard_id)
        for child in (first, second):
            self._records[child] = []
            self._parents[child] = (shard_id,)
        return first, second

    def expire_iterators(self) -> None:
        """Every iterator handed out so far is expired."""
        self._generation += 1

    def fail_next(self, *faults: Exception) -> None:
        """The next reads raise these, one each."""
        self._faults.extend(faults)

    def stream_arn(self) -> str:
        return "arn:aws:kinesis:us-east-1:000000000000:stream/in-memory"

    def shards(self) -> Sequence[Shard]:
        return [Shard(shard_id, self._parents.get(shard_id, ())) for shard_id in self._records]

    def iterator(self, shard_id: str, position: Position) -> str:
        return self._iterator(shard_id, self._place(self._records[shard_id], position))

    def read(self, shard_id: str, iterator: str, limit: int) -> Page:
        if self._faults:
            raise self._faults.pop(0)
        _, place, generation = iterator.split("/")
        if int(generation) != self._generation:
            raise IteratorExpired(shard_id)
        records = self._records[shard_id]
        end = min(int(place) + limit, len(records))
        at_the_end = end == len(records)
        behind_ms = 0 if at_the_end else max(round((self._clock.now() - records[end].arrived) * 1000), 1)
        closed = at_the_end and shard_id in self._closed
        return Page(tuple(records[int(place) : end]), None if closed else self._iterator(shard_id, end), behind_ms)

    def _iterator(self, shard_id: str, place: int) -> str:
        return f"{shard_id}/{place}/{self._generation}"

    def _place(self, records: list[StreamRecord], position: Position) -> int:
        if position.kind == "LATEST":
            return len(records)
        if position.kind == "AFTER_SEQUENCE_NUMBER":
            return sum(int(record.sequence_number) <= int(position.sequence_number) for record in records)
        if position.kind == "AT_TIMESTAMP":
            return sum(record.arrived < position.timestamp for record in records)
        return 0


def _shard_id(number: int) -> str:
    return f"shardId-{number:012d}"
