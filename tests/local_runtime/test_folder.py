"""The folder that a run writes to."""

from pathlib import Path

import pytest

from local_runtime.errors import RunError
from local_runtime.folder import lock_folder


def test_a_second_run_at_the_same_time_gets_another_folder(tmp_path: Path) -> None:
    """Neither overwrites the logs and the report of the other."""
    with lock_folder(tmp_path / "run") as first, lock_folder(tmp_path / "run") as second:
        assert (tmp_path / "run", tmp_path / "run" / "2") == (first.root, second.root)


def test_the_next_run_gets_the_same_folder(tmp_path: Path) -> None:
    """It can start as soon as the last run has ended."""
    with lock_folder(tmp_path) as first:
        pass
    with lock_folder(tmp_path) as second:
        assert first == second


def test_the_results_of_the_last_run_are_gone(tmp_path: Path) -> None:
    """Nobody can take an old report for that of the new run."""
    with lock_folder(tmp_path) as folder:
        folder.report.write_text("{}")
        (folder.logs / "old.log").write_text("old")
    with lock_folder(tmp_path) as folder:
        assert (folder.report.exists(), list(folder.logs.iterdir())) == (False, [])


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    """The message is one sentence with the path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write to"), lock_folder(tmp_path / "file"):
        pass
