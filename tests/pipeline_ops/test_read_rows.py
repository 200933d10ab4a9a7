"""Rows and line numbers of a CSV: the same as the client reads, without the code of the client."""

import gzip
from datetime import datetime
from io import StringIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.records import read_fields, split_records
from invoices.line import CONTENT_FIELDS
from local_runtime.sample import write_sample
from pipeline_ops.errors import OpsError
from pipeline_ops.expected import FileOptions, expected_rows, parse_columns, read_rows, split_rows
from tests.csv_encodings import ENCODED_FILES
from tests.xlsx import Cell, write_xlsx, xlsx_of_csv

HEADER = ",".join(CONTENT_FIELDS)
VALUES = "536365,85123A,WHITE HEART,6,12/1/2010 8:26,2.55,17850,United Kingdom"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@given(st.text(alphabet='a",\r\n\0', max_size=60))
def test_it_agrees_with_the_client(text: str) -> None:
    """About every row: its fields, the line it begins on, and whether it is one."""
    theirs = list(split_records([text.encode()], width=2, first_line=1))
    good = {int(each.lines[n]): read_fields(each.text(n)) for each in theirs for n in range(len(each))}
    broken = {row.line for each in theirs for row in each.broken}
    ours = dict(split_rows(StringIO(text, newline="\n")))
    fits = {number: list(fields) for number, fields in ours.items() if fields and len(fields) == 2}
    assert (fits, ours.keys() - fits.keys()) == (good, broken)


@pytest.mark.parametrize(("data", "description"), ENCODED_FILES)
def test_encodings(tmp_path: Path, data: bytes, description: str | None) -> None:
    """The client has a test with the same files."""
    path = tmp_path / "rows.csv"
    path.write_bytes(data)
    if description is None:
        with pytest.raises(OpsError):
            list(read_rows(path))
    else:
        ((_, values),) = read_rows(path)
        assert values is not None
        assert values["Description"] == description


def test_gzip_whatever_its_name(tmp_path: Path) -> None:
    """It is known by its first bytes."""
    path = tmp_path / "rows.csv"
    path.write_bytes(gzip.compress(f"{HEADER}\n{VALUES}\n".encode()))
    assert [number for number, _ in read_rows(path)] == [2]


def test_a_row_that_does_not_fit_is_none(tmp_path: Path) -> None:
    """Too short, too long, or an open quote, which costs no other row; blank lines are no rows."""
    path = write(tmp_path / "rows.csv", f'{HEADER}\na,b\n\n{VALUES},more\n"open\n{VALUES}\n')
    assert [(number, values is None) for number, values in read_rows(path)] == [
        (2, True),
        (4, True),
        (5, True),
        (6, False),
    ]


def test_columns_and_sheet_as_they_were_given_to_send(tmp_path: Path) -> None:
    """A file with other names, and a sheet that is not the first."""
    other = write(tmp_path / "rows.csv", f"{HEADER.replace('InvoiceNo', 'Rechnungs Nr')}\n{VALUES}\n")
    options = FileOptions(columns=parse_columns(["rechnungsnr=invoice no"]))
    assert [values and values["InvoiceNo"] for _, values in read_rows(other, options)] == ["536365"]
    book = write_xlsx(tmp_path / "rows.xlsx", {"Notes": [["x"]], "Rows": [list(CONTENT_FIELDS), VALUES.split(",")]})
    assert [number for number, _ in read_rows(book, FileOptions(sheet="Rows"))] == [2]


@pytest.mark.parametrize(
    ("name", "sheet", "message"),
    [("rows.csv", "Rows", "for .xlsx files only"), ("rows.xlsx", "Other", "Its sheets are: Rows")],
)
def test_a_sheet_that_is_not_there(tmp_path: Path, name: str, sheet: str, message: str) -> None:
    """The message says which there are."""
    write(tmp_path / "rows.csv", f"{HEADER}\n{VALUES}\n")
    write_xlsx(tmp_path / "rows.xlsx", {"Rows": [list(CONTENT_FIELDS)]})
    with pytest.raises(OpsError, match=message):
        list(read_rows(tmp_path / name, FileOptions(sheet=sheet)))


@pytest.mark.parametrize("text", ["Rechnung", "=InvoiceNo", "Rechnung=Invoice"])
def test_a_wrong_name_of_a_column(text: str) -> None:
    """As in the client."""
    with pytest.raises(OpsError, match="THEIRS=OURS"):
        parse_columns([text])


def test_a_damaged_workbook(tmp_path: Path) -> None:
    """One sentence instead of a traceback."""
    with ZipFile(tmp_path / "rows.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<broken")
    with pytest.raises(OpsError, match="damaged"):
        list(read_rows(tmp_path / "rows.xlsx"))


@pytest.mark.parametrize("text", ["InvoiceNo,StockCode\n", f"{HEADER},Country\n"])
def test_other_columns_are_refused(tmp_path: Path, text: str) -> None:
    """Missing and repeated ones. Unknown ones are left out: `send` has refused them, or was told to leave them out."""
    with pytest.raises(OpsError, match="must name these columns"):
        list(read_rows(write(tmp_path / "rows.csv", text)))


@pytest.mark.parametrize(
    ("data", "reason"),
    [(gzip.compress(b"x" * 99, mtime=0)[:20], "damaged or ends too early"), (b"\x81\xff", "not text in UTF-8, cp1252")],
)
def test_an_unreadable_file_is_one_sentence(tmp_path: Path, data: bytes, reason: str) -> None:
    """Instead of a traceback."""
    path = tmp_path / "rows.csv"
    path.write_bytes(data)
    with pytest.raises(OpsError, match=reason):
        list(read_rows(path))


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """It names the file."""
    with pytest.raises(OpsError, match=r"rows\.csv cannot be read: No such file"):
        list(read_rows(tmp_path / "rows.csv"))


@pytest.mark.parametrize(
    "text", [f"sep=;\n{HEADER};X\n{VALUES};x\n".replace(",", ";"), f"{HEADER.lower()}\n{VALUES}\n"]
)
def test_the_forms_that_send_takes(tmp_path: Path, text: str) -> None:
    """Other separators, a line that names one, names in another case, and columns that are not sent."""
    plain = list(read_rows(write(tmp_path / "rows.csv", f"{HEADER}\n{VALUES}\n")))
    assert [values for _, values in read_rows(write(tmp_path / "other.csv", text))] == [values for _, values in plain]


def test_a_workbook(tmp_path: Path) -> None:
    """Its dates and ids are numbers; rows keep the numbers that they have in the sheet."""
    cells: list[Cell] = ["1", 22752.0, None, -1.0, datetime(2010, 12, 1, 8, 26), 2.55, 17850.0, "EIRE"]  # noqa: DTZ001 - no zone
    path = write_xlsx(tmp_path / "rows.xlsx", {"Rows": [HEADER.split(","), [], cells]})
    texts = ["1", "22752", "", "-1", "2010-12-01T08:26:00.000", "2.55", "17850", "EIRE"]
    assert list(read_rows(path)) == [(3, dict(zip(HEADER.split(","), texts, strict=True)))]


def test_the_xlsx_form_of_generated_rows_has_the_same_lines(tmp_path: Path) -> None:
    """On the same lines of the file, with the same line ids."""
    write_sample(sample := tmp_path / "rows.csv", 300)
    assert list(expected_rows(xlsx_of_csv(sample, tmp_path / "rows.xlsx"))) == list(expected_rows(sample))
