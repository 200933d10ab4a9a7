"""`client invoice` and `client customer`: responses as tables."""

import json
import re
from collections.abc import Callable, Mapping, Sequence

import httpx
import pytest
from typer.testing import Result

from tests.client.fake_api import problem
from tests.client.run_client import run

_LINE = {
    "StockCode": "85123A",
    "Description": "[bold]HOLDER",
    "Quantity": 6,
    "InvoiceDate": "2010-12-01T08:26:00",
    "UnitPrice": "2.55",
    "CustomerID": "17850",
    "Country": "United Kingdom",
    "Occurrence": 1,
    "amount": "15.30",
}
_INVOICE = {
    "InvoiceNo": "536365",
    "dates": ["2010-12-01T08:26:00"],
    "customers": ["17850"],
    "countries": ["United Kingdom"],
    "line_count": 2,
    "quantity": 1206,
    "total": "12345678901234567.89",
    "lines": [_LINE],
    "next_token": None,
}
_CUSTOMER = {
    "CustomerID": "17850",
    "countries": ["United Kingdom"],
    "first_date": "2010-12-01T08:26:00",
    "last_date": "2010-12-02T09:00:00",
    "invoice_count": 2,
    "line_count": 3,
    "quantity": 7,
    "total": "5391.21",
}
_ENTRY = {"InvoiceNo": "536365", "dates": ["2010-12-01T08:26:00"], "line_count": 1, "quantity": 6, "total": "139.12"}


def _api(responses: Mapping[str, object]) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        found = responses.get(request.url.raw_path.decode())
        return httpx.Response(200, json=found) if found else problem(404, "Not found")

    return answer


def test_an_invoice_is_shown_with_all_its_pages() -> None:
    """Lines of every page, the total exact and readable, brackets in a description kept."""
    api = _api(
        {
            "/invoices/536365": _INVOICE | {"next_token": "a/b"},
            "/invoices/536365?next_token=a%2Fb": _INVOICE | {"lines": [_LINE | {"StockCode": "71053"}]},
        }
    )
    result = run(api, "invoice", "536365")
    assert result.exit_code == 0
    for text in ("85123A", "71053", "[bold]HOLDER", "15.30", "12,345,678,901,234,567.89"):
        assert text in result.stdout


def test_what_lines_do_not_share_has_a_column() -> None:
    """An invoice of two dates shows each line's own."""
    other = _LINE | {"InvoiceDate": "2010-12-01T08:27:00"}
    result = run(_api({"/invoices/536365": _INVOICE | {"lines": [_LINE, other]}}), "invoice", "536365")
    assert " date " in result.stdout
    assert " country " not in result.stdout.splitlines()[5]


def test_a_customer_is_shown_with_all_invoices() -> None:
    """The summary and each invoice, from every page."""
    path = "/customers/17850"
    pages = {"CustomerID": "17850", "invoices": [_ENTRY], "next_token": "t"}
    api = _api(
        {
            path: _CUSTOMER,
            f"{path}/invoices?limit=100": pages,
            f"{path}/invoices?limit=100&next_token=t": pages | {"invoices": [_ENTRY | {"InvoiceNo": "536366"}]},
        }
        | {f"{path}/invoices?limit=100&next_token=t": {"invoices": [_ENTRY | {"InvoiceNo": "536366"}]}}
    )
    result = run(api, "customer", "17850")
    assert result.exit_code == 0
    for text in ("536365", "536366", "139.12", "5,391.21", "2010-12-02T09:00:00"):
        assert text in result.stdout


def _large_customer(words: Sequence[str]) -> Result:
    """22 invoices, each of another day and not in the order of these."""
    numbers = [*range(11, 22), *range(11), 22]
    invoices = [_ENTRY | {"InvoiceNo": f"N-{each}", "dates": [f"2010-12-{each + 1:02}T09:00:00"]} for each in numbers]
    path = "/customers/17850"
    api = _api({path: _CUSTOMER, f"{path}/invoices?limit=100": {"CustomerID": "17850", "invoices": invoices}})
    return run(api, "customer", "17850", *words)


@pytest.mark.parametrize(
    ("words", "shown", "rest"),
    [
        ((), 20, "… and 3 more: --limit 0 shows all"),
        (("--limit", "22"), 22, "… and 1 more"),
        (("--limit", "0"), 23, ""),
    ],
)
def test_the_latest_invoices_of_a_customer_are_shown(words: Sequence[str], shown: int, rest: str) -> None:
    """Twenty unless told otherwise, the latest first, and how many others there are."""
    result = _large_customer(words)
    numbers = re.findall(r"N-(\d+)", result.stdout)
    assert numbers == [str(each) for each in range(22, 22 - shown, -1)]
    assert (rest in result.stdout, "more:" in result.stdout) == (True, bool(rest))


def test_json_has_all_invoices_in_the_order_of_the_api() -> None:
    """Or the first of them."""
    numbers = [each["InvoiceNo"] for each in json.loads(_large_customer(["--json"]).stdout)["invoices"]]
    assert (len(numbers), numbers[:2]) == (23, ["N-11", "N-12"])
    assert len(json.loads(_large_customer(["--json", "--limit", "0"]).stdout)["invoices"]) == 23
    assert len(json.loads(_large_customer(["--json", "--limit", "2"]).stdout)["invoices"]) == 2


def test_amounts_stand_right_aligned() -> None:
    """Decimals under decimals."""
    lines = [_LINE, _LINE | {"amount": "1139.12"}]
    shown = run(_api({"/invoices/536365": _INVOICE | {"lines": lines}}), "invoice", "536365").stdout.splitlines()
    ends = [line.rindex(text) + len(text) for line in shown for text in ("15.30", "1,139.12") if text in line]
    assert (len(ends), len(set(ends))) == (2, 1)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_nothing_is_cut_off_in_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Where the columns do not fit side by side, each line of the invoice becomes a block."""
    monkeypatch.setenv("COLUMNS", str(width))
    dear = {"UnitPrice": "38970", "amount": "-3156375150"}
    other = _LINE | dear | {"Country": "EIRE", "InvoiceDate": "2010-12-01T08:27:00"}
    shown = run(_api({"/invoices/536365": _INVOICE | {"lines": [_LINE, other]}}), "invoice", "536365").stdout
    words = shown.replace("│", " ").split()
    assert {"[bold]HOLDER", "2010-12-01T08:27:00", "EIRE", "-3,156,375,150", "38,970"} <= set(words)
    assert max(map(len, shown.splitlines())) <= width


def test_the_longest_id_of_a_customer_is_shown_whole_in_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next command needs it: it goes on in a second line."""
    monkeypatch.setenv("COLUMNS", "40")
    customer = "C" * 40
    shown = run(_api({"/invoices/536365": _INVOICE | {"customers": [customer]}}), "invoice", "536365").stdout
    assert shown.count("C") == len(customer)


@pytest.mark.parametrize(("command", "message"), [("invoice", "no such invoice"), ("customer", "no such customer")])
def test_what_is_unknown_is_said_so(command: str, message: str) -> None:
    """Exit code 1."""
    result = run(_api({}), command, "C/1")
    assert (result.exit_code, message in result.stderr) == (1, True)


def test_lines_that_were_taken_back_are_shown_apart() -> None:
    """With the instant. They are in no total."""
    back = _LINE | {"StockCode": "71053", "AsOf": "2026-11-26T09:00:00.000000Z"}
    shown = run(_api({"/invoices/536365": _INVOICE | {"withdrawn_count": 1, "withdrawn": [back]}}), "invoice", "536365")
    assert [text in shown.stdout for text in ("taken back", "71053", "2026-11-26T09:00:00")] == [True] * 3


def test_what_was_taken_back_whole_is_said_so() -> None:
    """In the API's words, because the user remembers the invoice."""
    whole = problem(404, "Not found", "Every line of this invoice was taken back.")
    result = run(lambda _: whole, "invoice", "536365")
    assert (result.exit_code, result.stderr.strip()) == (1, "Every line of this invoice was taken back.")


@pytest.mark.parametrize(
    "answer",
    [
        problem(403, "No"),
        httpx.Response(200, text="hello"),
        httpx.Response(200, json=_INVOICE | {"total": 1.5}),
        httpx.Response(200, json=_INVOICE | {"lines": "none"}),
        httpx.Response(200, json={"lines": []}),
    ],
)
def test_an_answer_that_cannot_be_shown_is_said_so(answer: httpx.Response) -> None:
    """Exit code 3, and never a guess or a float."""
    result = run(lambda _: answer, "invoice", "1")
    assert (result.exit_code, bool(result.stderr)) == (3, True)
