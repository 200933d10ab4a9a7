"""Where a run writes: one folder, held by one run at a time, and nothing outside of it."""

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
        """Every process's TMPDIR: emptied when a run starts."""
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
def held_folder(root: Path) -> Iterator[RunFolder]:
    """`root`, emptied of the last run's results; a folder below it while another run holds it.

    The lock goes with the process, so a run that was killed leaves none behind.
    """
    for path in (root, *(root / str(number) for number in range(2, _MOST_RUNS_AT_ONCE + 1))):
        if lock := _locked(path):
            with lock:
                yield _emptied(RunFolder(path))
                return
    raise RunError(f"{_MOST_RUNS_AT_ONCE} runs already use {root}; stop one of them first")


def _locked(path: Path) -> TextIO | None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / "lock").open("a")
    except OSError as error:
        raise RunError(f"{path} cannot be written to: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _emptied(folder: RunFolder) -> RunFolder:
    for kept in (folder.logs, folder.temporary):
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
    for written in (folder.environment, folder.report, folder.rejects):
        written.unlink(missing_ok=True)
    return folder
