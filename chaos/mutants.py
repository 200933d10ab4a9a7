"""Mutation tests: plant each defect of the catalogue into a copy of the tree and see whether the tests catch it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

_ROOT = Path(__file__).parent.parent
_CATALOGUE = Path(__file__).with_name("mutant_catalogue.txt")
_TESTS = "tests: "
_COPIED = ("src", "client", "chaos", "tests")
_COPIED_FILES = ("template.yaml", "pyproject.toml")
_LONGEST_SECONDS = 600
_TESTS_FAILED = 1  # pytest's exit code; 2 to 5 say that it could not run them
_CAUGHT = "caught"


@dataclass(slots=True)
class Change:
    """In `file`, `original` (which stands there once) becomes `planted`."""

    file: str
    original: str = ""
    planted: str = ""

    def is_possible(self, tree: Path) -> bool:
        return (tree / self.file).read_text().count(self.original) == 1

    def plant(self, tree: Path) -> None:
        file = tree / self.file
        file.write_text(file.read_text().replace(self.original, self.planted))


@dataclass(frozen=True, slots=True)
class Defect:
    """`tests` are those that should notice."""

    name: str
    tests: Sequence[str]
    changes: list[Change] = field(default_factory=list)


def read_catalogue() -> list[Defect]:
    """The first lines of the file describe its form."""
    defects: list[Defect] = []
    tests: list[str] = []
    for block in _CATALOGUE.read_text().split("\n\n"):
        first, *lines = block.strip("\n").split("\n")
        if first.startswith(_TESTS):
            tests = first.removeprefix(_TESTS).split()
        elif not first.startswith("#"):
            defects.append(Defect(first, tests, _changes(lines)))
    return defects


def _changes(lines: Sequence[str]) -> list[Change]:
    changes: list[Change] = []
    for line in lines:
        sign, text = line[0], f"{line[1:]}\n"
        if sign not in "+- ":
            changes.append(Change(line))
            continue
        changes[-1].original += text if sign in "- " else ""
        changes[-1].planted += text if sign in "+ " else ""
    return changes


def run_mutants(console: Console, only: str | None, jobs: int) -> bool:
    """True if the tests caught every defect whose name contains `only`."""
    chosen = [defect for defect in read_catalogue() if only is None or only in defect.name]
    caught = 0
    with ThreadPoolExecutor(jobs) as pool:
        for defect, outcome in zip(chosen, pool.map(_try_defect, chosen), strict=True):
            caught += outcome.startswith(_CAUGHT)
            console.print(f"{defect.name}: {outcome}", highlight=False, markup=False)
    console.print(f"{caught} of {len(chosen)} planted defects were caught", highlight=False)
    return bool(chosen) and caught == len(chosen)


def _try_defect(defect: Defect) -> str:
    """Run the defect's tests against a copy that has it, and say what came of it. The tree itself is only read."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in _COPIED:
            shutil.copytree(_ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in _COPIED_FILES:
            shutil.copy(_ROOT / name, tree / name)
        if not all(change.is_possible(tree) for change in defect.changes):
            return "CANNOT be planted: the code has changed"
        for change in defect.changes:
            change.plant(tree)
        return _run_tests(defect, tree)


def _run_tests(defect: Defect, tree: Path) -> str:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *defect.tests]
    paths = os.pathsep.join(str(tree / folder) for folder in ("src", "."))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(  # noqa: S603 - our own tests
            command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=_LONGEST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"{_CAUGHT} by a test that never ends"
    if run.returncode == 0:
        return "NOT caught"
    failed = [line for line in run.stdout.splitlines() if line.startswith("FAILED")]
    if run.returncode != _TESTS_FAILED or not failed:
        return "the tests DO NOT run"
    return f"{_CAUGHT} by {failed[0].split()[1]}"
