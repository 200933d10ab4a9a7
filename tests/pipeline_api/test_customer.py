"""GET /customers: totals over all of a customer's lines, and the customer's invoices page by page."""

from typing import TYPE_CHECKING, Any

import pytest

from tests.invoice_rows import Row, row
from tests.pipeline_api.api_calls import Api
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


def test_a_customer_is_the_sum_of_all_lines(api: Api, dynamodb: "DynamoDBClient") -> None:
    """Both countries that the lines name, and the first and the last date."""
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


def test_the_query_form_answers_the_same(api: Api, dynamodb: "DynamoDBClient") -> None:
    """As the original's callers ask, and with an id as pandas writes it."""
    store(dynamodb, [row()])
    assert api.get("/customers", CustomerID="17850.0").json() == api.get("/customers/17850").json()


def test_a_customers_earlier_invoices_stay(api: Api, dynamodb: "DynamoDBClient") -> None:
    """The original kept the last one only."""
    store(dynamodb, *(invoice(number) for number in (3, 1, 2)))
    answer = api.get("/customers/17850/invoices").json()
    assert [each["InvoiceNo"] for each in answer["invoices"]] == ["1", "2", "3"]
    assert answer["next_token"] is None


def test_only_the_customers_own_lines_count(api: Api, dynamodb: "DynamoDBClient") -> None:
    """An invoice may name several customers, and none."""
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


def test_a_row_without_a_customer_is_nobodys(api: Api, dynamodb: "DynamoDBClient") -> None:
    """It belongs to its invoice only."""
    store(dynamodb, [row(CustomerID=None)])
    assert api.get("/invoices/536365").json()["customers"] == []


@pytest.mark.parametrize("limit", [1, 4, 20, 100])
def test_pages_hold_every_invoice_once(limit: int, api: Api, dynamodb: "DynamoDBClient") -> None:
    """In the order of their numbers, also where one number begins with another."""
    numbers = sorted(["1", "1-a", "1_a", "10", "1A", "1a", *(str(n) for n in range(200, 208))])
    store(dynamodb, *([row(InvoiceNo=number)] for number in numbers))
    pages = pages_of(api, "17850", limit)
    assert [each["InvoiceNo"] for page in pages for each in page] == numbers
    assert all(len(page) <= limit for page in pages)


def test_an_invoice_is_never_cut_in_two_by_a_page(api: Api, dynamodb: "DynamoDBClient") -> None:
    """90 and 60 pointers: the second invoice reaches over the end of a page of 100."""
    store(dynamodb, *([row(InvoiceNo="1", StockCode=str(n))] for n in range(90)))
    store(dynamodb, *([row(InvoiceNo="2", StockCode=str(n))] for n in range(60)))
    pages = pages_of(api, "17850", 1)
    assert [[(each["InvoiceNo"], each["line_count"]) for each in page] for page in pages] == [[("1", 90)], [("2", 60)]]


def test_a_page_does_not_depend_on_how_its_lines_were_sent(api: Api, dynamodb: "DynamoDBClient") -> None:
    """A file sent again with its rows shuffled makes more slices, and must change no answer."""
    invoices = [[row(InvoiceNo=str(100 + n), StockCode=str(k), Occurrence=1) for k in range(5)] for n in range(30)]
    store(dynamodb, *invoices)
    before = api.get("/customers/17850/invoices", limit=25).json()
    store(dynamodb, *([line] for lines in invoices for line in lines))
    assert api.get("/customers/17850/invoices", limit=25).json() == before


def test_an_invoice_with_more_pointers_than_a_page_is_whole(api: Api, dynamodb: "DynamoDBClient") -> None:
    """Then the query goes on, and its slices are fetched 100 at a time."""
    store(dynamodb, *([row(InvoiceNo="1", StockCode=str(n))] for n in range(230)))
    store(dynamodb, invoice(2))
    pages = pages_of(api, "17850", 20)
    assert [(each["InvoiceNo"], each["line_count"]) for page in pages for each in page] == [("1", 230), ("2", 1)]
    assert api.get("/customers/17850").json()["line_count"] == 231


@pytest.mark.parametrize("pointers", [99, 100, 101, 200])
def test_a_page_that_ends_exactly_at_the_limit_loses_nothing(
    pointers: int, api: Api, dynamodb: "DynamoDBClient"
) -> None:
    """One invoice a pointer, around the size of a page."""
    store(dynamodb, *(invoice(1000 + n) for n in range(pointers)))
    assert sum(len(page) for page in pages_of(api, "17850", 100)) == pointers
    assert api.get("/customers/17850").json()["invoice_count"] == pointers


def test_a_pointer_whose_slice_is_not_stored_yet_counts_nothing(api: Api, dynamodb: "DynamoDBClient") -> None:
    """The two tables are not written at one moment."""
    store(dynamodb, invoice(1))
    dynamodb.put_item(TableName="customers", Item={"CustomerID": {"S": "17850"}, "Slice": {"S": "0#abc"}})
    assert api.get("/customers/17850").json()["invoice_count"] == 1


@pytest.mark.parametrize("path", ["/customers/1", "/customers/1/invoices", "/customers?CustomerID=1"])
def test_an_unknown_customer_is_not_found(path: str, api: Api) -> None:
    """There is no customer without a line."""
    answer = api.get(path)
    assert (answer.status_code, answer.json()["detail"]) == (404, "No such customer.")
