"""A shard's checkpoint: it passes a record only when that record and all before it are done."""

import json
import os
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from local_runtime.event_source_mapping.clock import Clock
from local_runtime.event_source_mapping.events import StreamRecord


@dataclass(frozen=True, slots=True)
class CheckpointStep:
    """The records that one step of a shard's checkpoint passed, in order.

    `iterator_age_ms` is the age of the last of them, as in Lambda's metric IteratorAge.
    """

    shard_id: str
    sequence_number: str
    acknowledged: tuple[StreamRecord, ...]
    discarded: tuple[StreamRecord, ...]
    iterator_age_ms: int


OnCheckpoint: TypeAlias = Callable[[CheckpointStep], None]


class CheckpointStore(Protocol):
    """Keeps each shard's checkpoint: the sequence number up to which every record is done."""

    def load(self, shard_id: str) -> str | None:
        """The shard's last checkpoint, if there is one."""

    def save(self, shard_id: str, sequence_number: str) -> None:
        """Save the checkpoint. After this returns, a restart continues with the next record."""


class InMemoryCheckpoints:
    """Keeps checkpoints until the process ends. A second mapping with the same ones simulates a restart."""

    def __init__(self) -> None:
        self._saved: dict[str, str] = {}

    def load(self, shard_id: str) -> str | None:
        return self._saved.get(shard_id)

    def save(self, shard_id: str, sequence_number: str) -> None:
        self._saved[shard_id] = sequence_number


class FileCheckpoints:
    """Keeps checkpoints in a JSON file. A killed process leaves a valid file, with the old content or the new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saved: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def load(self, shard_id: str) -> str | None:
        return self._saved.get(shard_id)

    def save(self, shard_id: str, sequence_number: str) -> None:
        self._saved[shard_id] = sequence_number
        new = self._path.with_name(self._path.name + ".new")
        with new.open("w") as file:
            json.dump(self._saved, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)


class ShardProgress:
    """Moves a shard's checkpoint. Records are added in the order of the shard, and become done in any order."""

    def __init__(self, shard_id: str, store: CheckpointStore, on_checkpoint: OnCheckpoint, clock: Clock) -> None:
        self._shard_id = shard_id
        self._store = store
        self._on_checkpoint = on_checkpoint
        self._clock = clock
        self._open: deque[StreamRecord] = deque()
        self._acknowledged: set[str] = set()
        self._discarded: set[str] = set()

    @property
    def is_complete(self) -> bool:
        return not self._open

    def add(self, records: Iterable[StreamRecord]) -> None:
        self._open.extend(records)

    def acknowledge(self, records: Iterable[StreamRecord]) -> None:
        self._acknowledged.update(record.sequence_number for record in records)
        self._advance()

    def discard(self, records: Iterable[StreamRecord]) -> None:
        """Count them as done, because the on-failure destination has them."""
        self._discarded.update(record.sequence_number for record in records)
        self._advance()

    def _advance(self) -> None:
        passed: list[StreamRecord] = []
        while self._open and self._is_done(self._open[0]):
            passed.append(self._open.popleft())
        if passed:
            self._store.save(self._shard_id, passed[-1].sequence_number)
            self._on_checkpoint(self._step(passed))
            numbers = {record.sequence_number for record in passed}
            self._acknowledged -= numbers
            self._discarded -= numbers

    def _is_done(self, record: StreamRecord) -> bool:
        return record.sequence_number in self._acknowledged or record.sequence_number in self._discarded

    def _step(self, passed: list[StreamRecord]) -> CheckpointStep:
        last = passed[-1]
        return CheckpointStep(
            shard_id=self._shard_id,
            sequence_number=last.sequence_number,
            acknowledged=tuple(record for record in passed if record.sequence_number in self._acknowledged),
            discarded=tuple(record for record in passed if record.sequence_number in self._discarded),
            iterator_age_ms=max(round((self._clock.now() - last.arrived) * 1000), 0),
        )
