"""The folder that a run writes to."""

import os
from pathlib import Path

import pytest

from local_runtime.errors import RunError
from local_runtime.folder import RunFolder, lock_data, lock_folder


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


def test_files_that_a_new_run_deletes_are_known(tmp_path: Path) -> None:
    """Nobody can send them with `make run`, however they are written: they would be gone before they are read."""
    folder = RunFolder(tmp_path)
    deleted = [tmp_path / "x" / ".." / "rejects.csv", tmp_path / "tmp" / "rows.csv", tmp_path / "rows.csv"]
    assert [folder.will_delete(each) for each in deleted] == [True, True, False]


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    """The message is one sentence with the path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write to"), lock_folder(tmp_path / "file"):
        pass


def _run_engine(root: Path, *, checkpoint: str = "", is_killed: bool = False) -> None:
    """An engine starts, and saves when it is stopped."""
    with lock_data(root) as data:
        data.note_engine_started()
        data.checkpoints("to_s3").write_text(checkpoint)
        if not is_killed:
            (root / "state").mkdir(exist_ok=True)
            for name in ("dynamodb.json", "kinesis.json"):
                (root / "state" / name).write_text("{}")


def test_stores_are_used_by_one_run_at_a_time(tmp_path: Path) -> None:
    """Two engines would overwrite each other's tables."""
    with (
        lock_data(tmp_path),
        pytest.raises(RunError, match="another `make serve` uses"),
        lock_data(tmp_path),
    ):
        pass


@pytest.mark.parametrize("is_killed", [False, True])
def test_stores_need_a_rebuild_if_the_engine_was_killed(tmp_path: Path, is_killed: bool) -> None:  # noqa: FBT001 - a case
    """It writes its tables and its stream only when it is stopped. What an earlier run has saved does not count."""
    _run_engine(tmp_path)
    os.utime(tmp_path / "started", (0, 0))
    _run_engine(tmp_path, is_killed=is_killed)
    with lock_data(tmp_path) as data:
        assert data.needs_rebuild == is_killed


def test_a_start_that_ends_before_its_engine_needs_no_rebuild(tmp_path: Path) -> None:
    """Ctrl-C in the first seconds: nothing was changed, so nothing is lost."""
    _run_engine(tmp_path)
    with lock_data(tmp_path):
        pass
    with lock_data(tmp_path) as data:
        assert not data.needs_rebuild


def test_a_rebuild_that_was_interrupted_begins_again(tmp_path: Path) -> None:
    """The engine saves what was built so far, which looks like a good end."""
    _run_engine(tmp_path, is_killed=True)
    _run_engine(tmp_path)
    with lock_data(tmp_path) as data:
        assert data.needs_rebuild
        data.note_rebuilt()
    with lock_data(tmp_path) as data:
        assert not data.needs_rebuild


@pytest.mark.parametrize(("is_killed", "expected"), [(False, "newer"), (True, "saved")])
def test_checkpoints_are_those_of_the_saved_stream(tmp_path: Path, is_killed: bool, expected: str) -> None:  # noqa: FBT001 - a case
    """Newer ones would skip the records that a killed engine's stream gets again."""
    _run_engine(tmp_path, checkpoint="saved")
    _run_engine(tmp_path, checkpoint="newer", is_killed=is_killed)
    with lock_data(tmp_path) as data:
        assert data.checkpoints("to_s3").read_text() == expected
