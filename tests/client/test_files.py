"""Files as people have them: each kind sends the rows that the plain CSV sends."""

import bz2
import csv
import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from client.cli import app
from client.columns import COLUMNS
from tests.client.fake_api import FakeApi, problem
from tests.client.run_client import HEADER, LINE, FakeEnvironment, read_rejects, row, run, summary_of, write_csv
from tests.xlsx import typed_cell, write_xlsx

ROWS = [row(), row(Description='A "B"; C,\tD', StockCode="22752", CustomerID=""), row(InvoiceNo="C1", Quantity="-1")]


def csv_bytes(separator: str, columns: Sequence[str] = COLUMNS) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows([columns, *ROWS])
    return text.getvalue().encode()


def xlsx(path: Path, rows: Sequence[Sequence[str]] = ROWS, sheet: str = "Rows") -> Path:
    """Numbers and dates as Excel keeps them."""
    return write_xlsx(
        path, {sheet: [COLUMNS, *([typed_cell(*each) for each in zip(COLUMNS, row, strict=True)] for row in rows)]}
    )


def lines_of(path: Path | str, *options: str) -> set[str]:
    api = FakeApi()
    result = run(api, "send", path, "--json", *options)
    assert result.exit_code == 0, result.stderr
    return set(api.lines)


KINDS = [
    pytest.param(csv_bytes(";"), id="semicolons"),
    pytest.param(csv_bytes("\t"), id="tabs"),
    pytest.param(b"sep=;\r\n" + csv_bytes(";"), id="a line that names the separator"),
    pytest.param(b"\xef\xbb\xbfsep=\t\r\n" + csv_bytes("\t"), id="a line that names tabs"),
    pytest.param(csv_bytes("\t").decode().encode("utf-16"), id="UTF-16"),
    pytest.param(csv_bytes(",").decode().encode("utf-16-le"), id="UTF-16 without its mark"),
    pytest.param(gzip.compress(csv_bytes(";").decode().encode("utf-16-be")), id="UTF-16, gzip"),
    pytest.param(csv_bytes(",", [name.upper() for name in COLUMNS]), id="upper case"),
]


@pytest.mark.parametrize("content", KINDS)
def test_each_kind_sends_the_same_lines(content: bytes) -> None:
    """The ids of lines depend on all their values."""
    Path("other.csv").write_bytes(content)
    assert lines_of("other.csv") == lines_of(write_csv(Path("rows.csv"), ROWS))


def test_an_xlsx_sends_the_same_lines() -> None:
    """Dates, ids and prices are numbers in its cells; another sheet is named."""
    expected = lines_of(write_csv(Path("rows.csv"), ROWS))
    assert lines_of(xlsx(Path("rows.xlsx"))) == expected
    write_xlsx(Path("two.xlsx"), {"Notes": [["a"]], "Rows": [[], COLUMNS, [], *ROWS]})
    assert lines_of("two.xlsx", "--sheet", "Rows") == expected


def test_names_of_an_xlsx_may_have_line_breaks() -> None:
    """As in a header that somebody made narrow; values keep theirs."""
    names = [name.replace("No", "\nNo").replace("ID", "\r\nID") for name in COLUMNS]
    write_xlsx(Path("wrapped.xlsx"), {"Rows": [names, row(Description="BOX\nRED")]})
    assert run(api := FakeApi(), "send", "wrapped.xlsx").exit_code == 0
    assert [line.Description for line in api.lines.values()] == ["BOX\nRED"]


def test_a_rejected_row_with_a_lone_carriage_return_can_be_sent_again() -> None:
    """It stands in quotes in the rejects, too."""
    line = LINE.replace("WHITE HOLDER", '"BOX\rRED"').replace(",6,", ",x,")
    Path("rows.csv").write_bytes(f"{HEADER}\n{line}\n".encode())
    assert run(FakeApi(), "send", "rows.csv").exit_code == 1
    rejects = Path("rows.rejects.csv")
    rejects.write_bytes(rejects.read_bytes().replace(b'"x"', b'"6"'))
    assert run(FakeApi(), "send", rejects).exit_code == 0


def test_rejected_rows_of_an_xlsx() -> None:
    """The line is the sheet's row, and the rejects file can be sent."""
    xlsx(Path("rows.xlsx"), [row(), row(Quantity="1.5"), row(Country="")])
    assert run(FakeApi(), "send", "rows.xlsx").exit_code == 1
    rejects = read_rejects(Path("rows.rejects.csv"))
    assert [(each[0], each[1]) for each in rejects] == [("3", "Quantity"), ("4", "Country")]
    assert run(api := FakeApi(), "send", "rows.rejects.csv", "--dry-run").exit_code == 1
    assert api.requests == []


def test_rejected_rows_of_another_separator() -> None:
    """The rejects have commas, our names, and the columns that were not sent."""
    header, line = HEADER.replace(",", ";").replace("Country", "Land"), LINE.replace(",", ";").replace(";6;", ";x;")
    content = f"{header};Region\n{line};R\n"
    Path("rows.csv").write_text(content)
    options = ("--columns", "Land=Country", "--ignore-unknown")
    assert run(FakeApi(), "send", "rows.csv", *options).exit_code == 1
    text = Path("rows.rejects.csv").read_text()
    assert text.splitlines()[0] == f"{HEADER},Region,line,field,reason,row"
    Path("mended.csv").write_text(text.replace(",x,", ",6,"))
    assert lines_of("mended.csv") == lines_of(write_csv(Path("one.csv"), [row()]))


@pytest.mark.parametrize("content", [csv_bytes(","), gzip.compress(csv_bytes(";"))])
def test_standard_input(content: bytes) -> None:
    """`-` reads what another program writes, of whatever kind it is; a second run of it resumes."""
    api = FakeApi([problem(400, "no")])
    fake = FakeEnvironment(api)

    def send() -> int:
        words = ["send", "-", "--batch-rows", "2"]
        return (
            CliRunner()
            .invoke(app, words, input=content, env={"INVOICE_API_KEY": "key"}, obj=fake.environment)
            .exit_code
        )

    assert (send(), Path("stdin.csv.journal").exists()) == (3, True)
    assert (send(), Path("stdin.csv.journal").exists()) == (0, False)
    assert set(api.lines) == lines_of(write_csv(Path("rows.csv"), ROWS))


def test_several_files() -> None:
    """Each has its own summary, journal and rejects; the exit code is the worst."""
    write_csv(Path("a.csv"), [row(InvoiceNo="1")])
    write_csv(Path("b.csv"), [row(InvoiceNo="2", Quantity="x")])
    result = run(api := FakeApi(), "send", "a.csv", "b.csv", "a.csv", "--json")
    events = [line for line in result.stdout.splitlines() if '"summary"' in line]
    assert (result.exit_code, len(events), len(api.requests)) == (1, 2, 2)
    assert sorted(path.name for path in Path().iterdir()) == ["a.csv", "b.csv", "b.rejects.csv"]


def test_a_wrong_file_among_several_stops_all() -> None:
    """Before the first request; the message names the file."""
    write_csv(Path("a.csv"), [row()])
    Path("b.csv").write_text("InvoiceNo,Nonsense\n")
    result = run(api := FakeApi(), "send", "a.csv", "b.csv")
    assert (result.exit_code, api.requests, list(Path().glob("*.journal"))) == (2, [], [])
    assert result.stderr.startswith("b.csv: The header is wrong:")


def test_files_behind_an_incomplete_one_are_not_begun() -> None:
    """They are named."""
    for name in ("a.csv", "b.csv"):
        write_csv(Path(name), [row(InvoiceNo=name[0])])
    result = run(api := FakeApi([problem(400, "no")]), "send", "a.csv", "b.csv")
    assert (result.exit_code, len(api.requests)) == (3, 1)
    assert "Not begun: b.csv." in result.stderr


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rows.csv", HEADER)


def _tar(path: Path) -> None:
    write_csv(Path("rows.csv"), ROWS)
    with tarfile.open(path, "w:gz") as archive:
        archive.add("rows.csv")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (_zip, "The file is a ZIP archive. Unpack it"),
        (_tar, "The file is a tar archive. Unpack it"),
        (lambda path: path.write_bytes(bz2.compress(b"a")), "compressed with bzip2"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"), "a picture (PNG)"),
        (lambda path: path.write_bytes(b"PK\x03\x04 and no more"), "damaged .xlsx file or ZIP"),
        (
            lambda path: xlsx(path).write_bytes(xlsx(path).read_bytes().replace(b"sheetData", b"sheetData")[:-200]),
            "damaged",
        ),
        (lambda path: path.write_bytes("ab".encode("utf-16") + b"\x00\xd8"), "not all of it is"),
    ],
)
def test_what_is_no_file_of_rows_gets_one_sentence(write: Callable[[Path], object], message: str) -> None:
    """It says what the file is, and names it."""
    write(Path("my.file"))
    result = run(FakeApi(), "send", "my.file")
    assert (result.exit_code, result.stderr.startswith("my.file: ")) == (2, True)
    assert message in result.stderr


def test_a_sheet_that_is_not_there() -> None:
    """The sheets that are there are named; a CSV has none."""
    xlsx(Path("rows.xlsx"))
    assert "Its sheets are: Rows." in run(FakeApi(), "send", "rows.xlsx", "--sheet", "Sheet1").stderr
    write_csv(Path("rows.csv"), ROWS)
    assert "--sheet is for .xlsx files only" in run(FakeApi(), "send", "rows.csv", "--sheet", "Rows").stderr


def test_a_file_of_other_names_says_so() -> None:
    """In the notes of the summary."""
    write_csv(Path("rows.csv"), ROWS, ["Invoice", *COLUMNS[1:5], "Price", "Customer ID", "Country"])
    assert "Invoice is read as InvoiceNo" in str(summary_of(run(FakeApi(), "send", "rows.csv", "--json"))["notes"])


def test_a_file_that_changes_while_others_are_sent_ends_the_command() -> None:
    """Not with 2, which says that nothing was sent. The files behind it are named."""
    for name in ("a.csv", "b.csv", "c.csv"):
        write_csv(Path(name), [row(InvoiceNo=name[0])])
    api = FakeApi()

    def answer(request: httpx.Request) -> httpx.Response:
        with Path("b.csv").open("a") as file:
            file.write(f"{LINE}\n")
        return api(request)

    result = run(answer, "send", "a.csv", "b.csv", "c.csv")
    assert (result.exit_code, len(api.requests)) == (3, 1)
    assert "b.csv: The file was changed while it was read." in result.stderr
    assert "Not begun: c.csv." in result.stderr


def test_a_name_that_is_not_utf_8_is_shown() -> None:
    """As old archives have them."""
    file = write_csv(Path(os.fsdecode(b"verk\xe4ufe.csv")), [row(), row(Quantity="x")])
    result = run(FakeApi(), "send", file)
    assert (result.exit_code, "verk\N{REPLACEMENT CHARACTER}ufe.csv" in result.stdout) == (1, True)
