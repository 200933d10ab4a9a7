"""The folder of a run, and the folder of stores that stay. Only one run at a time uses either.

A run writes nothing outside of them.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from local_runtime.errors import RunError

_MOST_RUNS_AT_ONCE = 9
_SAVED_LAST = ("dynamodb.json", "kinesis.json")  # of the files that the engine writes at its end


@dataclass(frozen=True)
class RunFolder:
    root: Path

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def temporary(self) -> Path:
        """TMPDIR of every process. It is empty when a run starts."""
        return self.root / "tmp"

    @property
    def environment(self) -> Path:
        return self.root / "env"

    @property
    def report(self) -> Path:
        return self.root / "report.json"

    @property
    def sample(self) -> Path:
        return self.root / "sample.csv"

    @property
    def journal(self) -> Path:
        return self.root / "upload.journal"

    @property
    def rejects(self) -> Path:
        return self.root / "rejects.csv"

    @property
    def old_folders(self) -> tuple[Path, Path]:
        """What an earlier run has left and a new one deletes; and so are `old_files`."""
        return self.logs, self.temporary

    @property
    def old_files(self) -> tuple[Path, Path, Path]:
        return self.environment, self.report, self.rejects

    def will_delete(self, file: Path) -> bool:
        """Whether a run that starts deletes the file: the rejects of the last one, for instance."""
        deleted = [path.resolve() for path in (*self.old_files, *self.old_folders)]
        return not {file.resolve(), *file.resolve().parents}.isdisjoint(deleted)


@dataclass(frozen=True)
class DataFolder:
    """The stores of `make serve`. The engine writes objects at once, tables and stream only when it is stopped."""

    root: Path

    @property
    def needs_rebuild(self) -> bool:
        """Whether the archive knows more than the tables: the engine was killed, and no rebuild ended since then."""
        return self._rebuild.exists()

    def note_engine_started(self) -> None:
        """From now on the stores can change. Before that, an engine that ends without saving has lost nothing."""
        self._started.touch()

    def note_engine_killed(self) -> None:
        self._rebuild.touch()

    def note_rebuilt(self) -> None:
        self._rebuild.unlink(missing_ok=True)

    def has_unsaved_changes(self) -> bool:
        """Whether the engine has saved nothing since it was started the last time."""
        saved = [self.root / "state" / name for name in _SAVED_LAST]
        return self._started.exists() and not all(
            file.exists() and file.stat().st_mtime_ns >= self._started.stat().st_mtime_ns for file in saved
        )

    @property
    def engine_settings(self) -> dict[str, str]:
        root = self.root.resolve()
        directories = {"STATE_DIR": str(root / "state"), "S3_DATA_DIR": str(root / "objects")}
        return {"PERSIST_STATE": "1", "S3_PERSIST": "1", **directories}

    @property
    def api_key(self) -> Path:
        return self.root / "api-key"

    def checkpoints(self, stage: str) -> Path:
        return self.root / "checkpoints" / f"{stage}.json"

    @property
    def _started(self) -> Path:
        return self.root / "started"

    @property
    def _rebuild(self) -> Path:
        return self.root / "rebuild"


@contextmanager
def lock_data(root: Path) -> Iterator[DataFolder]:
    """Lock the stores under `root`. Raises RunError if another run uses them or they cannot be written."""
    lock = _try_lock(root)
    if lock is None:
        raise RunError(f"another `make serve` uses the stores in {root}; stop it first")
    with lock:
        data = DataFolder(root)
        was_killed = data.has_unsaved_changes()
        if was_killed:
            data.note_engine_killed()
        _match_checkpoints(root, was_killed=was_killed)
        yield data


def _match_checkpoints(root: Path, *, was_killed: bool) -> None:
    """The checkpoints of the saved stream: of a stream that is older than they are, they would skip records."""
    current, saved = root / "checkpoints", root / "checkpoints-saved"
    source, target = (saved, current) if was_killed else (current, saved)
    source.mkdir(exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


@contextmanager
def lock_folder(root: Path) -> Iterator[RunFolder]:
    """Lock `root` and clear it. If another run uses `root`, take a numbered folder inside it instead.

    The lock ends with the process, even if it is killed. Raises RunError if no folder is free or can be written.
    """
    for path in (root, *(root / str(number) for number in range(2, _MOST_RUNS_AT_ONCE + 1))):
        if lock := _try_lock(path):
            with lock:
                folder = RunFolder(path)
                _clear(folder)
                yield folder
                return
    raise RunError(f"{_MOST_RUNS_AT_ONCE} runs already use {root}; stop one of them first")


def _try_lock(path: Path) -> TextIO | None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / "lock").open("a")
    except OSError as error:
        raise RunError(f"cannot write to {path}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _clear(folder: RunFolder) -> None:
    for directory in folder.old_folders:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
    for file in folder.old_files:
        file.unlink(missing_ok=True)
