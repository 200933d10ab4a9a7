"""A process's peak memory."""

from pathlib import Path

from local_runtime.processes import peak_memory


def test_the_peak_is_read_in_bytes(tmp_path: Path) -> None:
    """Linux counts in kB of 1,024 bytes."""
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "status").write_text("Name:\tpython\nVmHWM:\t   100 kB\nVmRSS:\t    90 kB\n")
    assert peak_memory(7, tmp_path) == 102_400


def test_a_system_that_does_not_say_is_none(tmp_path: Path) -> None:
    """The report then leaves the figure out."""
    assert peak_memory(7, tmp_path) is None
