"""A stream in this process, for tests: it reads as Kinesis does, and fails when told to."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from aws.errors import translate_errors
from local_runtime.event_source_mapping.clock import Clock
from local_runtime.event_source_mapping.events import StreamRecord

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import RecordTypeDef, ShardTypeDef

# Reading a stream, as Kinesis offers it: shards, iterators and pages of records.


class IteratorExpired(Exception):
    """The iterator is too old; another one from the same position goes on."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading begins. Make it with one of the functions below."""

    kind: Literal["TRIM_HORIZON", "LATEST", "AFTER_SEQUENCE_NUMBER", "AT_TIMESTAMP"]
    sequence_number: str = ""
    timestamp: float = 0.0


TRIM_HORIZON = Position("TRIM_HORIZON")
LATEST = Position("LATEST")


def after(sequence_number: str) -> Position:
    return Position("AFTER_SEQUENCE_NUMBER", sequence_number=sequence_number)


def at(timestamp: float) -> Position:
    """The first record that arrived then or later."""
    return Position("AT_TIMESTAMP", timestamp=timestamp)


@dataclass(frozen=True, slots=True)
class Shard:
    shard_id: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Some records in order. `next_iterator` is None at the end of a closed shard; `behind_ms` is 0 at the tip."""

    records: tuple[StreamRecord, ...]
    next_iterator: str | None
    behind_ms: int


class StreamReader(Protocol):
    """Each method raises Retryable for what may pass."""

    def stream_arn(self) -> str:
        """The stream's full name."""

    def shards(self) -> Sequence[Shard]:
        """All shards that still hold records, closed ones too."""

    def iterator(self, shard_id: str, position: Position) -> str:
        """An iterator at that position."""

    def read(self, shard_id: str, iterator: str, limit: int) -> Page:
        """The next records, `limit` at most; an empty page says nothing about the end. Raises IteratorExpired."""


# The real stream.


class KinesisReader:
    """Reads with GetRecords, as a mapping without enhanced fan-out does."""

    def __init__(self, kinesis: "KinesisClient", stream: str) -> None:
        self._kinesis = kinesis
        self._stream = stream

    def stream_arn(self) -> str:
        with translate_errors("Kinesis"):
            answer = self._kinesis.describe_stream_summary(StreamName=self._stream)
        return answer["StreamDescriptionSummary"]["StreamARN"]

    def shards(self) -> Sequence[Shard]:
        with translate_errors("Kinesis"):
            pages = self._kinesis.get_paginator("list_shards").paginate(StreamName=self._stream)
            return [_shard(shard) for page in pages for shard in page["Shards"]]

    def iterator(self, shard_id: str, position: Position) -> str:
        with translate_errors("Kinesis"):
            return self._iterator(shard_id, position)

    def read(self, shard_id: str, iterator: str, limit: int) -> Page:
        with translate_errors("Kinesis"):
            try:
                answer = self._kinesis.get_records(ShardIterator=iterator, Limit=limit)
            except self._kinesis.exceptions.ExpiredIteratorException as error:
                raise IteratorExpired(shard_id) from error
        records = tuple(_record(shard_id, record) for record in answer["Records"])
        return Page(records, answer.get("NextShardIterator"), answer.get("MillisBehindLatest", 0))

    def _iterator(self, shard_id: str, position: Position) -> str:
        stream, kinesis = self._stream, self._kinesis
        if position.kind == "AFTER_SEQUENCE_NUMBER":
            answer = kinesis.get_shard_iterator(
                StreamName=stream,
                ShardId=shard_id,
                ShardIteratorType=position.kind,
                StartingSequenceNumber=position.sequence_number,
            )
        elif position.kind == "AT_TIMESTAMP":
            answer = kinesis.get_shard_iterator(
                StreamName=stream,
                ShardId=shard_id,
                ShardIteratorType=position.kind,
                Timestamp=datetime.fromtimestamp(position.timestamp, UTC),
            )
        else:
            answer = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard_id, ShardIteratorType=position.kind)
        return answer["ShardIterator"]


def _shard(shard: "ShardTypeDef") -> Shard:
    parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
    return Shard(shard["ShardId"], tuple(parent for parent in parents if parent))


def _record(shard_id: str, record: "RecordTypeDef") -> StreamRecord:
    return StreamRecord(
        shard_id,
        record["SequenceNumber"],
        record["PartitionKey"],
        record["Data"],
        record["ApproximateArrivalTimestamp"].timestamp(),
    )


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
