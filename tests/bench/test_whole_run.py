"""Both designs through their own processes on the engine: what they hold in the end is what was sent."""

from pathlib import Path

import pytest

from bench.baselines.original_run import expected, read_rows, run_slice
from bench.rows import grow
from bench.whole_run import run_whole
from local_runtime.errors import RunError
from local_runtime.sample import write_sample


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    file = tmp_path / "sample.csv"
    write_sample(file, 600)
    return file


def test_a_repeated_stock_code_overwrites_the_earlier_row() -> None:
    """So the original's tables hold fewer rows than its bucket; a row without a customer is in no customer."""
    row = {"InvoiceNo": "1", "StockCode": "A", "CustomerID": "7"}
    rows = [row, row, {**row, "StockCode": "B", "CustomerID": ""}]
    assert expected(rows) == ({("1", "A"), ("1", "B")}, {("7", "1")}, 3)


def test_rows_that_the_engine_refuses_are_left_out(tmp_path: Path) -> None:
    """Stock code M; as many rows come as were asked for."""
    file = tmp_path / "rows.csv"
    file.write_text("InvoiceNo,StockCode\n1,A\n1,M\n2,B\n3,C\n")
    assert [row["InvoiceNo"] for row in read_rows(file, 2)] == ["1", "2"]


@pytest.mark.end_to_end
@pytest.mark.parametrize("earlier", [0, 700])
def test_the_originals_design_stores_every_row(sample: Path, tmp_path: Path, earlier: int) -> None:
    """What was in the stream before is behind its consumers."""
    file = grow(sample, 600, tmp_path / "utf8.csv")
    run = run_slice(read_rows(file, 60), tmp_path / "run", earlier)
    assert (run.rows, run.seconds > 0) == (60, True)


@pytest.mark.end_to_end
def test_our_own_run_is_timed_until_it_is_verified(sample: Path, tmp_path: Path) -> None:
    """Every row of the file was read, and comparing comes after storing."""
    run = run_whole(sample, tmp_path / "run")
    assert run.rows == 600
    assert set(run.stages) == {"sent", "accepted", "archived", "indexed"}
    assert 0 < run.stored < run.verified


@pytest.mark.end_to_end
def test_a_run_that_fails_is_no_measurement(tmp_path: Path) -> None:
    """The error says why it failed."""
    with pytest.raises(RunError, match=r"(?s)nothing\.csv did not end well.*there is no file"):
        run_whole(tmp_path / "nothing.csv", tmp_path / "run")
