"""Reading a stream through shards, iterators and pages: from Kinesis, or from memory in a test."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from local_runtime.event_source_mapping.clock import Clock
from local_runtime.event_source_mapping.errors import IteratorExpired, translate_errors
from local_runtime.event_source_mapping.events import StreamRecord

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import GetShardIteratorInputTypeDef, RecordTypeDef, ShardTypeDef

_FIRST_SEQUENCE_NUMBER = 9  # then comes 10: a comparison as text would put it before 9


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading begins: one of the constants and functions below."""

    kind: Literal["TRIM_HORIZON", "LATEST", "AFTER_SEQUENCE_NUMBER", "AT_TIMESTAMP"]
    sequence_number: str = ""
    timestamp: float = 0.0


TRIM_HORIZON = Position("TRIM_HORIZON")
LATEST = Position("LATEST")


def after_sequence_number(sequence_number: str) -> Position:
    return Position("AFTER_SEQUENCE_NUMBER", sequence_number=sequence_number)


def at_timestamp(timestamp: float) -> Position:
    """The first record that arrived at this time or later, in seconds since 1970."""
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
    """Each method raises TransientError where a retry can help."""

    def stream_arn(self) -> str: ...

    def list_shards(self) -> Sequence[Shard]:
        """All shards that still hold records, also the closed ones."""

    def get_iterator(self, shard_id: str, position: Position) -> str: ...

    def get_page(self, shard_id: str, iterator: str, limit: int) -> Page:
        """At most `limit` records; an empty page does not mean the end. Raises IteratorExpired."""


class KinesisReader:
    """Reads with GetRecords, like a mapping without enhanced fan-out."""

    def __init__(self, kinesis: "KinesisClient", stream: str) -> None:
        self._kinesis = kinesis
        self._stream = stream

    def stream_arn(self) -> str:
        with translate_errors("Kinesis"):
            summary = self._kinesis.describe_stream_summary(StreamName=self._stream)
        return summary["StreamDescriptionSummary"]["StreamARN"]

    def list_shards(self) -> Sequence[Shard]:
        with translate_errors("Kinesis"):
            pages = self._kinesis.get_paginator("list_shards").paginate(StreamName=self._stream)
            return [_shard(shard) for page in pages for shard in page["Shards"]]

    def get_iterator(self, shard_id: str, position: Position) -> str:
        request: GetShardIteratorInputTypeDef = {
            "StreamName": self._stream,
            "ShardId": shard_id,
            "ShardIteratorType": position.kind,
        }
        if position.kind == "AFTER_SEQUENCE_NUMBER":
            request["StartingSequenceNumber"] = position.sequence_number
        if position.kind == "AT_TIMESTAMP":
            request["Timestamp"] = datetime.fromtimestamp(position.timestamp, UTC)
        with translate_errors("Kinesis"):
            return self._kinesis.get_shard_iterator(**request)["ShardIterator"]

    def get_page(self, shard_id: str, iterator: str, limit: int) -> Page:
        with translate_errors("Kinesis"):
            try:
                page = self._kinesis.get_records(ShardIterator=iterator, Limit=limit)
            except self._kinesis.exceptions.ExpiredIteratorException as error:
                raise IteratorExpired(shard_id) from error
        records = tuple(_record(shard_id, record) for record in page["Records"])
        return Page(records, page.get("NextShardIterator"), page.get("MillisBehindLatest", 0))


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


class InMemoryStream:
    """A stream for tests. It can be read like Kinesis, and fails on demand.

    Records with the same partition key go to the same shard. An iterator is `shard/index/generation`.
    """

    def __init__(self, clock: Clock, *, shards: int = 1) -> None:
        self._clock = clock
        self._records: dict[str, list[StreamRecord]] = {_shard_id(number): [] for number in range(shards)}
        self._parents: dict[str, tuple[str, ...]] = {}
        self._closed: set[str] = set()
        self._next_number = _FIRST_SEQUENCE_NUMBER
        self._generation = 0
        self._errors: list[Exception] = []

    def put(self, partition_key: str, data: bytes = b"") -> StreamRecord:
        """Returns the record as it will be read."""
        open_shards = sorted(self._records.keys() - self._closed)
        shard_id = open_shards[zlib.crc32(partition_key.encode()) % len(open_shards)]
        record = StreamRecord(shard_id, str(self._next_number), partition_key, data, self._clock.now())
        self._records[shard_id].append(record)
        self._next_number += 1
        return record

    def split(self, shard_id: str) -> tuple[str, str]:
        """Close the shard and open two children of it."""
        first, second = (_shard_id(len(self._records) + offset) for offset in (0, 1))
        self._closed.add(shard_id)
        for child in (first, second):
            self._records[child] = []
            self._parents[child] = (shard_id,)
        return first, second

    def expire_iterators(self) -> None:
        """From now on, every iterator that was handed out before is expired."""
        self._generation += 1

    def fail_next(self, *errors: Exception) -> None:
        """The next reads raise these, one each."""
        self._errors.extend(errors)

    def stream_arn(self) -> str:
        return "arn:aws:kinesis:us-east-1:000000000000:stream/in-memory"

    def list_shards(self) -> Sequence[Shard]:
        return [Shard(shard_id, self._parents.get(shard_id, ())) for shard_id in self._records]

    def get_iterator(self, shard_id: str, position: Position) -> str:
        return self._iterator(shard_id, _index(self._records[shard_id], position))

    def get_page(self, shard_id: str, iterator: str, limit: int) -> Page:
        if self._errors:
            raise self._errors.pop(0)
        _, index, generation = iterator.split("/")
        if int(generation) != self._generation:
            raise IteratorExpired(shard_id)
        records = self._records[shard_id]
        end = min(int(index) + limit, len(records))
        is_at_tip = end == len(records)
        behind_ms = 0 if is_at_tip else max(round((self._clock.now() - records[end].arrived) * 1000), 1)
        is_over = is_at_tip and shard_id in self._closed
        return Page(tuple(records[int(index) : end]), None if is_over else self._iterator(shard_id, end), behind_ms)

    def _iterator(self, shard_id: str, index: int) -> str:
        return f"{shard_id}/{index}/{self._generation}"


def _index(records: list[StreamRecord], position: Position) -> int:
    if position.kind == "LATEST":
        return len(records)
    if position.kind == "AFTER_SEQUENCE_NUMBER":
        return sum(int(record.sequence_number) <= int(position.sequence_number) for record in records)
    if position.kind == "AT_TIMESTAMP":
        return sum(record.arrived < position.timestamp for record in records)
    return 0


def _shard_id(number: int) -> str:
    return f"shardId-{number:012d}"
