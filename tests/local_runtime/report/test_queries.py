"""The example queries."""

from decimal import Decimal

import httpx

from local_runtime.report import Comparison, Example, Expected, ask_examples

ANSWERS = {
    "/invoices/536365": '{"InvoiceNo": "536365", "line_count": 7, "total": "139.12", "lines": []}',
    "/customers/17850": '{"CustomerID": "17850", "line_count": 297, "total": "5391.21"}',
}


def _api(request: httpx.Request) -> httpx.Response:
    text = ANSWERS.get(request.url.path)
    return httpx.Response(200, text=text) if text else httpx.Response(404, json={"status": 404})


def _http() -> httpx.Client:
    return httpx.Client(base_url="http://127.0.0.1:8000", transport=httpx.MockTransport(_api))


def _example(name: str, lines: int, amount: str) -> Example:
    return Example(name, lambda _: True, lines, Decimal(amount))


def test_both_answers_are_compared_with_the_file() -> None:
    """Lines and total of one invoice and of one customer."""
    expected = Expected(invoice=_example("536365", 7, "139.12"), customer=_example("17850", 297, "5391.20"))
    queries = ask_examples(expected, _http(), "python")
    assert [each.agrees for query in queries for each in query.comparisons] == [True, True, True, False]


def test_a_query_names_the_command_that_asks_the_same() -> None:
    """A user can type it as it stands."""
    [query] = ask_examples(Expected(invoice=_example("536365", 7, "139.12")), _http(), "python")
    expected = "python -m client invoice 536365 --url http://127.0.0.1:8000"
    assert (query.command, query.path) == (expected, "/invoices/536365?limit=2")


def test_an_unknown_invoice_is_a_difference() -> None:
    """The file holds it, so the API must."""
    [query] = ask_examples(Expected(invoice=_example("1", 7, "139.12")), _http(), "python")
    assert query.comparisons == [Comparison("status of invoice 1", 200, 404)]


def test_a_file_without_lines_asks_nothing() -> None:
    """There is nothing to ask for."""
    assert ask_examples(Expected(), _http(), "python") == []
