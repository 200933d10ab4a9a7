"""A timed `make run`: a run counts only if the stores hold what the file does."""

from pathlib import Path

import pytest

from bench.whole_run import run_whole
from local_runtime.errors import RunError
from local_runtime.sample import write_sample


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    file = tmp_path / "sample.csv"
    write_sample(file, 600)
    return file


@pytest.mark.end_to_end
def test_our_own_run_is_timed_and_verified(sample: Path, tmp_path: Path) -> None:
    """Every row of the file was read, each stage has its speed and each process its memory."""
    report = run_whole(sample, tmp_path / "run")
    assert (report["rows_read"], report["agrees"]) == (600, True)
    assert set(report["rows_per_second"]) == {"sent", "accepted", "archived", "indexed"}
    assert {"client", "API"} < set(report["peak_memory_bytes"])
    assert report["seconds"] > 0


@pytest.mark.end_to_end
def test_a_run_that_fails_is_no_measurement(tmp_path: Path) -> None:
    """The error says why it failed."""
    with pytest.raises(RunError, match=r"(?s)nothing\.csv did not end well.*there is no file"):
        run_whole(tmp_path / "nothing.csv", tmp_path / "run")
