"""The folder that a run writes to."""

from pathlib import Path

import pytest

from local_runtime.errors import RunError
from local_runtime.folder import held_folder


def test_a_second_run_at_the_same_time_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """Neither writes over the other's logs and report."""
    with held_folder(tmp_path / "run") as first, held_folder(tmp_path / "run") as second:
        assert (tmp_path / "run", tmp_path / "run" / "2") == (first.root, second.root)


def test_the_next_run_has_the_folder_again(tmp_path: Path) -> None:
    """A run can be started at once after the last."""
    with held_folder(tmp_path) as first:
        pass
    with held_folder(tmp_path) as second:
        assert first == second


def test_what_the_last_run_left_is_gone(tmp_path: Path) -> None:
    """An old report must never be taken for the new run's."""
    with held_folder(tmp_path) as folder:
        folder.report.write_text("{}")
        (folder.logs / "old.log").write_text("old")
    with held_folder(tmp_path) as folder:
        assert (folder.report.exists(), list(folder.logs.iterdir())) == (False, [])


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """One sentence with the path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written to"), held_folder(tmp_path / "file"):
        pass
