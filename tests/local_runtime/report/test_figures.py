"""The report's figures, on the terminal and in the file."""

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from invoices.line import Line
from local_runtime.report import (
    Comparison,
    Expected,
    Query,
    Report,
    Stored,
    compared,
    contract,
    figure_text,
    show_report,
    write_report,
)
from local_runtime.upload import UploadSummary
from tests.invoice_rows import row

SUMMARY = UploadSummary("summary", 2, 2, 0, 0, 1.0)


def _expected(*line_ids: str) -> Expected:
    expected = Expected(rows_read=len(line_ids))
    for line_id in line_ids:
        expected.tally.add(bytes.fromhex(line_id), Line.model_validate(row()))
    return expected


def _stored(*line_ids: str) -> Stored:
    stored = Stored(raw_objects=1, raw_rows=len(line_ids), pointed={("17850", "536365")})
    for line_id in line_ids:
        stored.tally.add(bytes.fromhex(line_id), Line.model_validate(row()))
    return stored


def _report(*comparisons: Comparison) -> Report:
    figures = contract(SUMMARY, _stored("aa", "bb"), 1.23456)
    return Report(figures, list(comparisons), 1, 1, {"sent": 2.0}, {"API": 100_000_000})


def _disagreeing(expected: Expected, stored: Stored) -> list[str]:
    return [each.name for each in compared(expected, SUMMARY, stored) if not each.agrees]


def _shown(report: Report, *queries: Query) -> str:
    console = Console(file=io.StringIO(), width=100)
    show_report(console, report, queries, Path("report.json"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_equal_sets_agree_in_every_figure() -> None:
    """Nothing is missing, nothing is more."""
    assert _disagreeing(_expected("aa", "bb"), _stored("aa", "bb")) == []


def test_a_line_that_took_another_ones_place_is_found() -> None:
    """Equal counts are not enough: the line ids are compared."""
    assert _disagreeing(_expected("aa", "bb"), _stored("aa", "cc")) == ["lines missing", "lines that the CSV lacks"]


def test_a_missing_pointer_is_found() -> None:
    """The invoice is there, but its customer does not lead to it."""
    stored = _stored("aa", "bb")
    stored.pointed = set()
    expected = ["customers", "customer and invoice pairs", "pairs without a pointer"]
    assert _disagreeing(_expected("aa", "bb"), stored) == expected


def test_the_file_begins_with_the_contracts_keys(tmp_path: Path) -> None:
    """Tools outside read these; whatever else there is comes after them."""
    write_report(_report(), tmp_path / "report.json")
    keys = list(json.loads((tmp_path / "report.json").read_text()))
    contract_keys = "rows_read accepted rejected raw_objects raw_rows invoices lines customers seconds"
    assert keys[:9] == contract_keys.split()


def test_the_file_has_money_as_text(tmp_path: Path) -> None:
    """JSON numbers would pass through floats."""
    write_report(_report(Comparison("total", Decimal("0.10"), Decimal("0.1"))), tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_text())
    assert (written["compared"], written["agrees"]) == ({"total": {"csv": "0.10", "pipeline": "0.1"}}, True)


def test_one_difference_makes_the_report_disagree() -> None:
    """And the terminal says so, in its line and at the end."""
    shown = _shown(_report(Comparison("lines", 2, 2), Comparison("customers", 2, 1)))
    assert (shown.count("✓"), shown.count("✗"), "the stores differ" in shown) == (1, 2, True)


def test_an_answer_is_shown_as_it_came() -> None:
    """With the path asked for and the command that asks the same; brackets are no markup."""
    shown = _shown(_report(), Query("python -m client invoice 1", "/invoices/1", '{"dates": ["[red]"]}', []))
    assert all(text in shown for text in ("GET /invoices/1", "python -m client invoice 1", '{"dates": ["[red]"]}'))


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (1234567, "1,234,567"),
        (Decimal("1234.5"), "1,234.50"),
        (Decimal("-0.125"), "-0.125"),
        (Decimal("-1234.5"), "-1,234.50"),
        (Decimal("1E+3"), "1,000.00"),
    ],
)
def test_a_figure_keeps_all_of_its_decimals(figure: int | Decimal, text: str) -> None:
    """A rounded total could look equal and not be."""
    assert figure_text(figure) == text
