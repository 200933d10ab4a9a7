"""A copy of the tree with one defect in it, and what the tests say to it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from chaos.defects.catalogue import Defect

_ROOT = Path(__file__).parent.parent.parent
_COPIED = ("src", "client", "chaos", "tests", "template.yaml", "pyproject.toml")
_LONGEST_SECONDS = 600
_TESTS_FAILED = 1  # pytest's exit code; 2 to 5 say that it could not run them


class Outcome(StrEnum):
    """Only CAUGHT is good."""

    CAUGHT = "caught"
    SLIPPED = "NOT caught"
    MOVED = "cannot be planted: the code has changed"
    BROKEN = "the tests do not run"


@dataclass(frozen=True, slots=True)
class Planted:
    """`by` is the first test that failed."""

    defect: Defect
    outcome: Outcome
    by: str = ""


def plant(defect: Defect) -> Planted:
    """Run the defect's tests against it. The tree itself is only read."""
    with _copied_tree() as tree:
        file = tree / defect.file
        text = file.read_text()
        if text.count(defect.original) != 1:
            return Planted(defect, Outcome.MOVED)
        file.write_text(text.replace(defect.original, defect.planted))
        return _tested(defect, tree)


def _tested(defect: Defect, tree: Path) -> Planted:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *defect.tests]
    paths = os.pathsep.join(str(tree / folder) for folder in ("src", "."))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(  # noqa: S603 - our own tests
            command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=_LONGEST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return Planted(defect, Outcome.CAUGHT, "no end")
    if run.returncode == 0:
        return Planted(defect, Outcome.SLIPPED)
    failed = [line for line in run.stdout.splitlines() if line.startswith("FAILED")]
    caught = run.returncode == _TESTS_FAILED and failed
    return Planted(defect, Outcome.CAUGHT, failed[0].split()[1]) if caught else Planted(defect, Outcome.BROKEN)


@contextmanager
def _copied_tree() -> Iterator[Path]:
    unwanted = shutil.ignore_patterns("__pycache__", "node_modules")
    with tempfile.TemporaryDirectory() as folder:
        for name in _COPIED:
            source, target = _ROOT / name, Path(folder) / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=unwanted)
            else:
                shutil.copy(source, target)
        yield Path(folder)
