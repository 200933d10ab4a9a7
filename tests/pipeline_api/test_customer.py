"""GET /customers: the totals over all lines of a customer, and the customer's invoices in pages."""

from typing import TYPE_CHECKING, Any

import pytest

from tests.invoice_rows import Row, row
from tests.pipeline_api.api_calls import Api
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB
from tests.pipeline_api.store import store

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def invoice(number: int, lines: int = 1, **changes: object) -> list[Row]:
    return [row(InvoiceNo=str(number), Occurrence=n + 1, **changes) for n in range(lines)]


def pages_of(api: Api, customer: str, limit: int) -> list[list[dict[str, Any]]]:
    answer = api.get(f"/customers/{customer}/invoices", limit=limit).json()
    pages = [answer["invoices"]]
    while answer["next_token"]:
        answer = api.get(f"/customers/{customer}/invoices", limit=limit, next_token=answer["next_token"]).json()
        pages.append(answer["invoices"])
    return pages


def test_a_customer_has_the_totals_over_all_lines(api: Api, dynamodb: "DynamoDBClient") -> None:
    """With both countries of the lines, and the first and the last date."""
    later = row(InvoiceNo="536366", InvoiceDate="12/3/2010 9:00", Country="France", Quantity=-1, UnitPrice="0.001")
    store(dynamodb, [row()], [later])
    assert api.get("/customers/17850").json() == {
        "CustomerID": "17850",
        "countries": ["France", "United Kingdom"],
        "first_date": "2010-12-01T08:26:00",
        "last_date": "2010-12-03T09:00:00",
        "invoice_count": 2,
        "line_count": 2,
        "quantity": 5,
        "total": "15.299",
    }


def test_the_query_form_returns_the_same(api: Api, dynamodb: "DynamoDBClient") -> None:
    """The query form is the one of the original API. An id may have the form that pandas writes."""
    store(dynamodb, [row()])
    assert api.get("/customers", CustomerID="17850.0").json() == api.get("/customers/17850").json()


def test_a_customer_keeps_earlier_invoices(api: Api, dynamodb: "DynamoDBClient") -> None:
    """The original kept only the last one."""
    store(dynamodb, *(invoice(number) for number in (3, 1, 2)))
    answer = api.get("/customers/17850/invoices").json()
    assert [each["InvoiceNo"] for each in answer["invoices"]] == ["1", "2", "3"]
    assert answer["next_token"] is None


def test_only_the_customers_own_lines_count(api: Api, dynamodb: "DynamoDBClient") -> None:
    """The lines of an invoice may name several customers, or none."""
    mine, other, nobody = row(), row(CustomerID="11111", Quantity=100), row(CustomerID=None, Quantity=1000)
    store(dynamodb, [mine, other, nobody])
    assert api.get("/customers/17850/invoices").json() == {
        "CustomerID": "17850",
        "invoices": [
            {
                "InvoiceNo": "536365",
                "dates": ["2010-12-01T08:26:00"],
                "line_count": 1,
                "quantity": 6,
                "total": "15.30",
            }
        ],
        "next_token": None,
    }
    assert api.get("/customers/17850").json()["quantity"] == 6


def test_a_row_without_a_customer_belongs_to_no_customer(api: Api, dynamodb: "DynamoDBClient") -> None:
    """It belongs only to its invoice."""
    store(dynamodb, [row(CustomerID=None)])
    assert api.get("/invoices/536365").json()["customers"] == []


@pytest.mark.parametrize("limit", [1, 4, 20, 100])
def test_the_pages_have_every_invoice_once(limit: int, api: Api, dynamodb: "DynamoDBClient") -> None:
    """Sorted by number, also if one number is the start of another."""
    numbers = sorted(["1", "1-a", "1_a", "10", "1A", "1a", *(str(n) for n in range(200, 208))])
    store(dynamodb, *([row(InvoiceNo=number)] for number in numbers))
    pages = pages_of(api, "17850", limit)
    assert [each["InvoiceNo"] for page in pages for each in page] == numbers
    assert all(len(page) <= limit for page in pages)


def test_a_page_never_splits_an_invoice(offline_api: Api, fake: FakeDynamoDB) -> None:
    """90 and 60 pointers: a page of 100 pointers ends within the second invoice."""
    store(fake, *([row(InvoiceNo="1", StockCode=str(n))] for n in range(90)))
    store(fake, *([row(InvoiceNo="2", StockCode=str(n))] for n in range(60)))
    pages = pages_of(offline_api, "17850", 1)
    assert [[(each["InvoiceNo"], each["line_count"]) for each in page] for page in pages] == [[("1", 90)], [("2", 60)]]


def test_a_page_does_not_depend_on_the_batches(offline_api: Api, fake: FakeDynamoDB) -> None:
    """A file that is sent again in another order makes more slices, but changes no response."""
    invoices = [[row(InvoiceNo=str(100 + n), StockCode=str(k), Occurrence=1) for k in range(5)] for n in range(30)]
    store(fake, *invoices)
    before = offline_api.get("/customers/17850/invoices", limit=25).json()
    store(fake, *([line] for lines in invoices for line in lines))
    assert offline_api.get("/customers/17850/invoices", limit=25).json() == before


def test_an_invoice_with_more_pointers_than_a_page_is_complete(offline_api: Api, fake: FakeDynamoDB) -> None:
    """The Query goes on to its next page, and the slices are read 100 at a time."""
    store(fake, *([row(InvoiceNo="1", StockCode=str(n))] for n in range(230)))
    store(fake, invoice(2))
    pages = pages_of(offline_api, "17850", 20)
    assert [(each["InvoiceNo"], each["line_count"]) for page in pages for each in page] == [("1", 230), ("2", 1)]
    assert offline_api.get("/customers/17850").json()["line_count"] == 231


def test_an_invoice_is_one_call_to_aws_and_a_page_of_a_customer_two(api: Api, dynamodb: "DynamoDBClient") -> None:
    """A Query; a Query for pointers and a BatchGetItem for their slices."""
    store(dynamodb, *(invoice(number) for number in (1, 2, 3)))
    calls: list[str] = []
    dynamodb.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))
    for path, expected in (("/invoices/1", ["Query"]), ("/customers/17850/invoices", ["Query", "BatchGetItem"])):
        calls.clear()
        assert api.get(path).is_success
        assert calls == expected


@pytest.mark.parametrize("pointers", [99, 100, 101, 200])
def test_a_page_that_ends_at_the_limit_loses_no_invoice(pointers: int, offline_api: Api, fake: FakeDynamoDB) -> None:
    """Each invoice has one pointer; their number is close to the size of a page."""
    store(fake, *(invoice(1000 + n) for n in range(pointers)))
    assert sum(len(page) for page in pages_of(offline_api, "17850", 100)) == pointers
    assert offline_api.get("/customers/17850").json()["invoice_count"] == pointers


def test_a_pointer_without_its_slice_counts_nothing(api: Api, dynamodb: "DynamoDBClient") -> None:
    """A pointer may be stored a moment before its slice."""
    store(dynamodb, invoice(1))
    dynamodb.put_item(TableName="customers", Item={"CustomerID": {"S": "17850"}, "Slice": {"S": "0#abc"}})
    assert api.get("/customers/17850").json()["invoice_count"] == 1


@pytest.mark.parametrize("path", ["/customers/1", "/customers/1/invoices", "/customers?CustomerID=1"])
def test_an_unknown_customer_is_not_found(path: str, api: Api) -> None:
    """A customer exists only through its lines."""
    answer = api.get(path)
    assert (answer.status_code, answer.json()["detail"]) == (404, "No such customer.")
