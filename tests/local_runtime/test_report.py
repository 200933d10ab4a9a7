"""The report on the terminal and in its file, and the example queries."""

import io
import json
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from local_runtime.comparison import Comparison, Example, Expected, Stored
from local_runtime.messages import UploadSummary, parse_client_line
from local_runtime.report import (
    ExampleQuery,
    Report,
    contract_figures,
    figure_text,
    query_examples,
    rejection_reasons,
    show_report,
    upload_remarks,
    write_report,
)

CONTRACT_KEYS = [
    "rows_read",
    "accepted",
    "rejected",
    "raw_objects",
    "raw_rows",
    "invoices",
    "lines",
    "customers",
    "seconds",
]
RESPONSES = {
    "/invoices/536365": '{"InvoiceNo": "536365", "line_count": 7, "total": "139.12", "lines": []}',
    "/customers/17850": '{"CustomerID": "17850", "line_count": 297, "total": "5391.21"}',
}


def _report(*comparisons: Comparison, rows: int = 2, accepted: int = 2) -> Report:
    figures = contract_figures(UploadSummary("summary", rows, accepted, rows - accepted, 0, 1.0), Stored(), 1.23456)
    return Report(figures, list(comparisons), 1, 1, {"sent": 2.0}, {"API": 100_000_000})


def _shown(report: Report, *queries: ExampleQuery) -> str:
    console = Console(file=io.StringIO(), width=100)
    show_report(console, report, queries, Path("report.json"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_run_without_an_accepted_row_is_no_success(tmp_path: Path) -> None:
    """The stores hold what the CSV holds, which is nothing; report.json says so, too."""
    report = _report(Comparison("lines", 0, 0), accepted=0)
    assert (report.is_equal, report.is_success, _report().is_success) == (True, False, True)
    assert "✗ 0 of 2 rows were accepted" in _shown(report)
    write_report(report, tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["agrees"] is False


def test_a_run_without_a_row_has_no_mark_that_says_equal() -> None:
    """Nothing was compared; a store that holds something all the same is a difference."""
    shown = _shown(_report(Comparison("lines", 0, 0), rows=0, accepted=0))
    assert shown == "✗ no row was sent, so there is nothing to compare (figures in report.json)\n"
    assert "the stores differ" in _shown(_report(Comparison("lines", 0, 1), rows=0, accepted=0))


def test_dates_of_a_file_without_rows_were_not_read() -> None:
    """Only the client's note is there."""
    summary = UploadSummary("summary", 0, 0, 0, 0, 1.0, notes=["The file has a header and no rows."])
    assert upload_remarks(summary) == ["note  The file has a header and no rows."]


def test_reasons_are_summed_up_by_field(tmp_path: Path) -> None:
    """Most rows first, with the first lines of the file."""
    rows = [f"{line},Quantity,Quantity must be a whole number" for line in (2, 3, 5, 7)] + [
        "4,,the row has 2 fields instead of 8"
    ]
    (tmp_path / "rejects.csv").write_text("\n".join(["line,field,reason", *rows, ""]))
    assert rejection_reasons(tmp_path / "rejects.csv") == [
        "4 rows (lines 2, 3, 5 …): Quantity must be a whole number",
        "1 row (line 4): the row has 2 fields instead of 8",
    ]


def test_what_the_client_says_of_the_file_is_shown(tmp_path: Path) -> None:
    """How dates were read, also where they can be read both ways; and then the rejected rows."""
    (tmp_path / "rejects.csv").write_text("line,field,reason\n2,Quantity,Quantity must be a whole number\n")
    rejects = str(tmp_path / "rejects.csv")
    line = {"event": "summary", "rows_read": 2, "accepted": 1, "rejected": 1, "not_sent": 0, "seconds": 1.0}
    extra = {"rejects_file": rejects, "dates": "mdy", "notes": ["Every date … send the file with --dates dmy."]}
    summary = parse_client_line(json.dumps(line | extra).encode())
    assert isinstance(summary, UploadSummary)
    assert upload_remarks(summary) == [
        "dates  read with the month first",
        "note  Every date … send the file with --dates dmy.",
        "rejected  1 row (line 2): Quantity must be a whole number",
        f"the rejected rows and their reasons are in {rejects}",
    ]


def _http() -> httpx.Client:
    def respond(request: httpx.Request) -> httpx.Response:
        text = RESPONSES.get(request.url.path)
        return httpx.Response(200, text=text) if text else httpx.Response(404, json={"status": 404})

    return httpx.Client(base_url="http://127.0.0.1:8000", transport=httpx.MockTransport(respond))


def _example(name: str, lines: int, amount: str) -> Example:
    return Example(name, lines, Decimal(amount))


def test_the_file_begins_with_the_contracts_keys(tmp_path: Path) -> None:
    """Other tools read them; the remaining keys come after them."""
    write_report(_report(), tmp_path / "report.json")
    assert list(json.loads((tmp_path / "report.json").read_text()))[:9] == CONTRACT_KEYS


def test_money_in_the_file_is_text(tmp_path: Path) -> None:
    """A JSON number would become a float."""
    write_report(_report(Comparison("total", Decimal("0.10"), Decimal("0.1"))), tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_text())
    assert (written["compared"], written["agrees"]) == ({"total": {"csv": "0.10", "pipeline": "0.1"}}, True)


def test_a_difference_is_marked_and_repeated_at_the_end() -> None:
    """One unequal figure is enough."""
    shown = _shown(_report(Comparison("lines", 2, 2), Comparison("customers", 2, 1)))
    assert (shown.count("✓"), shown.count("✗"), "the stores differ" in shown) == (1, 2, True)


def test_a_response_is_shown_unchanged() -> None:
    """Its path and the command for the same query stand beside it. Square brackets are not markup."""
    shown = _shown(_report(), ExampleQuery("python -m client invoice 1", "/invoices/1", '{"dates": ["[red]"]}', []))
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
    """Two unequal totals could look equal when rounded."""
    assert figure_text(figure) == text


def test_both_responses_are_compared_with_the_file() -> None:
    """The lines and the total of one invoice and of one customer are compared."""
    expected = Expected(invoice=_example("536365", 7, "139.12"), customer=_example("17850", 297, "5391.20"))
    queries = query_examples(expected, _http(), "python")
    assert [each.is_equal for query in queries for each in query.comparisons] == [True, True, True, False]


def test_a_query_has_the_command_for_the_same_response() -> None:
    """A user can copy it."""
    [query] = query_examples(Expected(invoice=_example("536365", 7, "139.12")), _http(), "python")
    command = "python -m client invoice 536365 --url http://127.0.0.1:8000"
    assert (query.command, query.path) == (command, "/invoices/536365?limit=3")


def test_an_invoice_that_the_api_does_not_know_is_a_difference() -> None:
    """The file has it, so the API must."""
    [query] = query_examples(Expected(invoice=_example("1", 7, "139.12")), _http(), "python")
    assert query.comparisons == [Comparison("status of invoice 1", 200, 404)]


def test_a_file_without_lines_has_no_queries() -> None:
    """There is no example to ask for."""
    assert query_examples(Expected(), _http(), "python") == []
