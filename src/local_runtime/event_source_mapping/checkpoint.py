"""Where each shard's checkpoint is kept: the last sequence number up to which everything is done."""

import json
import os
from pathlib import Path
from typing import Protocol


class CheckpointStore(Protocol):
    def load(self, shard_id: str) -> str | None:
        """The shard's last checkpoint."""

    def save(self, shard_id: str, sequence_number: str) -> None:
        """Keep it; once this has returned, a restart goes on after it."""


class InMemoryCheckpoints:
    """Lives as long as its process. Hand it to a second mapping to see a restart."""

    def __init__(self) -> None:
        self._saved: dict[str, str] = {}

    def load(self, shard_id: str) -> str | None:
        return self._saved.get(shard_id)

    def save(self, shard_id: str, sequence_number: str) -> None:
        self._saved[shard_id] = sequence_number


class FileCheckpoints:
    """One JSON file, replaced as a whole: killed at any moment, it holds the old state or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saved: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def load(self, shard_id: str) -> str | None:
        return self._saved.get(shard_id)

    def save(self, shard_id: str, sequence_number: str) -> None:
        self._saved[shard_id] = sequence_number
        beside = self._path.with_name(self._path.name + ".new")
        with beside.open("w") as file:
            json.dump(self._saved, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
