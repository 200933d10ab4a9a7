"""Reading a stream, as Kinesis offers it: shards, iterators and pages of records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from local_runtime.event_source_mapping.records import StreamRecord


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
