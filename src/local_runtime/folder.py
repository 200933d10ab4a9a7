"""The folder of a run. Only one run at a time uses it, and the run writes nothing outside of it."""

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
    for directory in (folder.logs, folder.temporary):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
    for file in (folder.environment, folder.report, folder.rejects):
        file.unlink(missing_ok=True)
