"""What a CSV holds, counted without the client."""

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from invoices.line import Line, line_id
from local_runtime.errors import RunError
from local_runtime.report import Expected, read_expected

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
ROW = "536365,85123A,LANTERN,6,12/1/2010 8:26,2.55,17850,United Kingdom"


def _expected(folder: Path, *rows: str, encoding: str = "utf-8") -> Expected:
    path = folder / "rows.csv"
    path.write_text("\r\n".join((HEADER, *rows)), encoding=encoding)
    return read_expected(path)


def _line(occurrence: int) -> Line:
    values = dict(zip(HEADER.split(","), ROW.split(","), strict=True))
    return Line.model_validate({**values, "Occurrence": occurrence})


def test_a_repeated_row_is_a_line_of_its_own(tmp_path: Path) -> None:
    """Its line id is that of its number among rows of the same content."""
    ids = {bytes.fromhex(line_id(_line(number), "", 0)) for number in (1, 2, 3)}
    assert _expected(tmp_path, ROW, ROW, ROW).tally.line_ids == ids


def test_rows_that_mean_the_same_are_repeats(tmp_path: Path) -> None:
    """`2.55` and `2.550` are one price: content is compared in its normal form."""
    ids = _expected(tmp_path, ROW, ROW.replace("2.55", "2.550").replace("17850", "17850.0")).tally.line_ids
    assert ids == {bytes.fromhex(line_id(_line(number), "", 0)) for number in (1, 2)}


def test_a_row_that_is_no_line_is_rejected(tmp_path: Path) -> None:
    """It is read and counted, and adds to nothing else."""
    expected = _expected(tmp_path, ROW, ROW.replace(",6,", ",six,"), ROW + ",more")
    assert (expected.rows_read, expected.rejected, len(expected.tally.line_ids)) == (3, 2, 1)


def test_sums_are_exact(tmp_path: Path) -> None:
    """Money is never a float."""
    expected = _expected(tmp_path, *([ROW.replace(",6,", ",1,").replace("2.55", "0.1")] * 3))
    assert expected.tally.amount == Decimal("0.3")


def test_a_row_without_a_customer_makes_no_pair(tmp_path: Path) -> None:
    """It belongs to its invoice only."""
    tally = _expected(tmp_path, ROW, ROW.replace("17850", "").replace("536365", "536366")).tally
    assert (tally.pairs, len(tally.invoices)) == ({("17850", "536365")}, 2)


def test_the_examples_hold_all_of_their_rows(tmp_path: Path) -> None:
    """An invoice whose first row names no customer still counts all its lines."""
    expected = _expected(tmp_path, ROW.replace("17850", ""), ROW)
    assert expected.invoice is not None
    assert expected.customer is not None
    assert (expected.invoice.lines, expected.customer.lines) == (2, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_the_encoding_is_found_out(tmp_path: Path, encoding: str) -> None:
    """With a byte order mark or without, or as spreadsheets write it."""
    expected = _expected(tmp_path, ROW.replace("LANTERN", "£5 LANTERN"), encoding=encoding)
    assert (expected.accepted, len(expected.tally.line_ids)) == (1, 1)


def test_a_gzip_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    """The first bytes say what it is."""
    (tmp_path / "rows.csv").write_bytes(gzip.compress(f"{HEADER}\n{ROW}\n".encode()))
    assert read_expected(tmp_path / "rows.csv").accepted == 1


@pytest.mark.parametrize("text", ["", "\n\r\n", HEADER, f"\n{HEADER}\n\n\n"])
def test_a_file_without_rows_holds_nothing(tmp_path: Path, text: str) -> None:
    """Empty, only a header, or blank lines."""
    (tmp_path / "rows.csv").write_text(text)
    assert read_expected(tmp_path / "rows.csv") == Expected()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"InvoiceNo,StockCode\n1,2\n", "must name these columns"),
        (b"\x1f\x8bnot gzip", "is damaged"),
        (f"{HEADER}\n".encode() + b"\x81\x8d", "neither UTF-8 nor cp1252"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, data: bytes, message: str) -> None:
    """One sentence, without the file's content."""
    (tmp_path / "rows.csv").write_bytes(data)
    with pytest.raises(RunError, match=message):
        read_expected(tmp_path / "rows.csv")
