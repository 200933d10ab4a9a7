"""Both designs through their own processes on the engine: what they hold in the end is what was sent."""

from pathlib import Path

import pytest

from bench.engine_floor import engine_alone
from bench.rivals.original_run import Held, expected, run_slice, takeable_rows
from bench.source_files import as_utf8
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
    assert expected(rows) == Held({("1", "A"), ("1", "B")}, {("7", "1")}, archived=3)


def test_rows_that_the_engine_refuses_are_left_out(tmp_path: Path) -> None:
    """Stock code M; as many rows come as were asked for."""
    file = tmp_path / "rows.csv"
    file.write_text("InvoiceNo,StockCode\n1,A\n1,M\n2,B\n3,C\n")
    assert [row["InvoiceNo"] for row in takeable_rows(file, 2)] == ["1", "2"]


@pytest.mark.end_to_end
@pytest.mark.parametrize(("connections", "already"), [(1, 0), (3, 700)])
def test_the_originals_design_stores_every_row(sample: Path, tmp_path: Path, connections: int, already: int) -> None:
    """Over one connection or several; what was in the stream before is behind its consumers."""
    file, _ = as_utf8(sample, tmp_path / "utf8.csv")
    run = run_slice(takeable_rows(file, 60), tmp_path / "run", connections, already)
    assert (run.rows, run.connections, run.already) == (60, connections, already)
    assert 0 < run.sent <= run.stored <= run.verified


@pytest.mark.end_to_end
def test_our_own_run_is_timed_until_it_is_verified(sample: Path, tmp_path: Path) -> None:
    """Every row of the file was read, and comparing comes after storing."""
    run = run_whole(sample, tmp_path / "run")
    assert run.rows == 600
    assert set(run.stages) == {"sent", "accepted", "archived", "indexed"}
    assert 0 < run.stored < run.verified


@pytest.mark.end_to_end
def test_a_run_that_fails_is_no_measurement(tmp_path: Path) -> None:
    """It says why."""
    with pytest.raises(RunError, match=r"(?s)nothing\.csv did not end well.*there is no file"):
        run_whole(tmp_path / "nothing.csv", tmp_path / "run")


@pytest.mark.end_to_end
def test_the_engine_alone_is_given_all_our_items_and_gives_them_back(sample: Path, tmp_path: Path) -> None:
    """A slice for each of the 600 rows' invoices, and pointers."""
    alone = engine_alone(sample, tmp_path / "engine")
    assert alone.rows == 600
    assert alone.items > 0
