"""What a request reads is bounded, whatever is stored. The bounds are small here, so that the tests are fast."""

import pytest

from pipeline_api.queries import tables
from tests.invoice_rows import Row, row
from tests.pipeline_api.api_calls import Api
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB
from tests.pipeline_api.store import store

LINES, SLICES = 10, 4


@pytest.fixture(autouse=True)
def _small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("MOST_LINES", LINES), ("MOST_SLICES", SLICES), ("MAX_KEYS", 3)):
        monkeypatch.setattr(tables, name, value)
        if name != "MAX_KEYS":
            monkeypatch.setattr(f"pipeline_api.queries.queries.{name}", value)


def invoice(number: str, lines: int) -> list[Row]:
    return [row(InvoiceNo=number, Occurrence=n + 1) for n in range(lines)]


def in_slices(number: str, slices: int) -> list[list[Row]]:
    return [[row(InvoiceNo=number, StockCode=str(n))] for n in range(slices)]


def listed(api: Api, limit: int) -> list[list[tuple[str, int | None]]]:
    """The number and the lines of each invoice, by page."""
    pages: list[list[tuple[str, int | None]]] = []
    parameters: dict[str, str] = {}
    while True:
        answer = api.get("/customers/17850/invoices", limit=limit, **parameters).json()
        pages.append([(each["InvoiceNo"], each["line_count"]) for each in answer["invoices"]])
        if answer["next_token"] is None:
            return pages
        parameters = {"next_token": answer["next_token"]}


@pytest.mark.parametrize(("lines", "status"), [(LINES, 200), (LINES + 1, 409)])
def test_totals_end_at_a_number_of_lines(fake: FakeDynamoDB, offline_api: Api, lines: int, status: int) -> None:
    """Of an invoice and of a customer. The problem names the bound and where to ask instead."""
    store(fake, invoice("1", lines))
    answers = [offline_api.get(path) for path in ("/invoices/1", "/invoices?InvoiceNo=1", "/customers/17850")]
    assert [answer.status_code for answer in answers] == [status] * 3
    if status == 409:
        assert answers[0].json()["type"] == "urn:invoice-stream:problem:too-many-lines"
        assert answers[0].json()["detail"].endswith("`invoice-stream ops query` and GET /totals answer from the lake.")
        assert "GET /customers/{CustomerID}/invoices has its invoices in pages" in answers[2].json()["detail"]


@pytest.mark.parametrize(("slices", "status"), [(SLICES, 200), (SLICES + 1, 409)])
def test_totals_end_at_a_number_of_slices(fake: FakeDynamoDB, offline_api: Api, slices: int, status: int) -> None:
    """Many slices of one line each take many reads."""
    store(fake, *in_slices("1", slices))
    answers = [offline_api.get(path) for path in ("/invoices/1", "/customers/17850")]
    assert [answer.status_code for answer in answers] == [status] * 2


def test_a_page_ends_before_it_reads_too_many_lines(fake: FakeDynamoDB, offline_api: Api) -> None:
    """Its token goes on with the next invoice, so every invoice is listed once."""
    store(fake, invoice("1", 4), invoice("2", 4), invoice("3", 4), invoice("4", 1))
    assert listed(offline_api, 100) == [[("1", 4), ("2", 4)], [("3", 4), ("4", 1)]]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_an_invoice_that_is_too_large_is_listed_without_totals(
    fake: FakeDynamoDB, offline_api: Api, limit: int
) -> None:
    """It stops nobody from reaching the next one: by lines, by slices, and by lines of many slices."""
    store(fake, invoice("1", 2), invoice("2", LINES + 1), *in_slices("3", SLICES + 1), invoice("5", 3))
    store(fake, *(invoice("4", lines) for lines in (3, 4, 5)))
    entries = [entry for page in listed(offline_api, limit) for entry in page]
    assert entries == [("1", 2), ("2", None), ("3", None), ("4", None), ("5", 3)]


def test_a_page_reads_no_more_than_it_shows(fake: FakeDynamoDB, offline_api: Api) -> None:
    """One invoice of many: the slices of the others stay unread. Of an invoice with too many slices, none is read."""
    store(fake, *(invoice(str(100 + n), 2) for n in range(30)))
    offline_api.get("/customers/17850/invoices", limit=1)
    assert fake.calls == [1]
    store(fake, *in_slices("0", SLICES + 1))
    offline_api.get("/customers/17850/invoices", limit=1)
    assert fake.calls == [1]
