"""Tables in terminals of any width."""

import pytest
from rich.table import Table

from pipeline_ops.console import print_table

NAMES = ("InvoiceNo", "StockCode", "Description", "InvoiceDate", "UnitPrice", "Country")
ROW = ("536365", "85123A", "HANGING HOLDER", "2010-12-01 08:26:00", "2.550000", "United Kingdom")
KEY = "raw/dt=2026-11-26/hour=08/01a2039a-7722-73f8-96db-ef51d695e7bd.ndjson.gz"


def shown(capsys: pytest.CaptureFixture[str], names: tuple[str, ...], *rows: tuple[str, ...]) -> list[str]:
    table = Table(*names)
    for row in rows:
        table.add_row(*row)
    print_table(table)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_word_is_broken(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int) -> None:
    """Where the columns do not fit side by side, each row becomes a block with a line for each column."""
    monkeypatch.setenv("COLUMNS", str(width))
    lines = shown(capsys, NAMES, ROW, ROW)
    assert max(map(len, lines)) <= width
    assert {word for text in (*NAMES, *ROW) for word in text.split()} <= set("\n".join(lines).replace("│", " ").split())


def test_a_long_key_goes_on_in_the_next_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It does not turn the table into blocks, and none of it is cut off."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = shown(capsys, ("Finding", "Object"), ("missing", KEY))
    assert KEY in "".join(line.split("│")[2].strip() for line in lines if line.count("│") == 3)


def test_a_table_without_rows_keeps_its_header(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where it does not fit: nothing at all would look like a failure."""
    monkeypatch.setenv("COLUMNS", "40")
    assert shown(capsys, NAMES) != []
