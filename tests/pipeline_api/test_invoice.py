"""GET /invoices: an invoice is the union of its slices."""

from typing import TYPE_CHECKING

import pytest

from tests.invoice_rows import row
from tests.pipeline_api.api_calls import Api
from tests.pipeline_api.store import store

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


HEART = row(Occurrence=1)
LANTERN = row(StockCode="71053", Description=None, Quantity=-2, UnitPrice="3.395", CustomerID=None, Occurrence=1)


def test_an_invoice_has_its_totals_and_its_lines(api: Api, dynamodb: "DynamoDBClient") -> None:
    """Money is text with at least two decimals."""
    store(dynamodb, [HEART, LANTERN])
    assert api.get("/invoices/536365").json() == {
        "InvoiceNo": "536365",
        "dates": ["2010-12-01T08:26:00"],
        "customers": ["17850"],
        "countries": ["United Kingdom"],
        "line_count": 2,
        "quantity": 4,
        "total": "8.51",
        "lines": [
            {
                "StockCode": "71053",
                "Description": None,
                "Quantity": -2,
                "InvoiceDate": "2010-12-01T08:26:00",
                "UnitPrice": "3.395",
                "CustomerID": None,
                "Country": "United Kingdom",
                "Occurrence": 1,
                "amount": "-6.79",
            },
            {
                "StockCode": "85123A",
                "Description": "WHITE HANGING HEART T-LIGHT HOLDER",
                "Quantity": 6,
                "InvoiceDate": "2010-12-01T08:26:00",
                "UnitPrice": "2.55",
                "CustomerID": "17850",
                "Country": "United Kingdom",
                "Occurrence": 1,
                "amount": "15.30",
            },
        ],
        "next_token": None,
        "withdrawn_count": 0,
        "withdrawn": [],
    }


@pytest.mark.parametrize("invoice_no", ["536365", "C536379", "A563185"])
def test_cancellations_and_adjustments_are_invoices_like_any_other(
    invoice_no: str, api: Api, dynamodb: "DynamoDBClient"
) -> None:
    """Their numbers start with a letter."""
    store(dynamodb, [row(InvoiceNo=invoice_no, Quantity=-1, UnitPrice="-11062.06")])
    answer = api.get(f"/invoices/{invoice_no}").json()
    assert (answer["InvoiceNo"], answer["total"]) == (invoice_no, "11062.06")


def test_a_stock_code_may_look_like_a_key(api: Api, dynamodb: "DynamoDBClient") -> None:
    """The names of keys and the values of lines are never mixed."""
    store(dynamodb, [row(StockCode="InvoiceNo"), row(StockCode="SliceId")])
    codes = [line["StockCode"] for line in api.get("/invoices/536365").json()["lines"]]
    assert codes == ["InvoiceNo", "SliceId"]


def test_the_query_form_returns_the_same(api: Api, dynamodb: "DynamoDBClient") -> None:
    """The query form is the one of the original API."""
    store(dynamodb, [HEART, LANTERN])
    assert api.get("/invoices", InvoiceNo="536365", limit=1).json() == api.get("/invoices/536365", limit=1).json()


def test_overlapping_batches_change_no_response(api: Api, dynamodb: "DynamoDBClient") -> None:
    """The same lines in other batches make other slices, but the same invoice."""
    store(dynamodb, [HEART, LANTERN])
    before = api.get("/invoices/536365").json()
    store(dynamodb, [LANTERN], [HEART], [LANTERN, HEART])
    assert api.get("/invoices/536365").json() == before


def test_the_pages_have_every_line_once_and_the_totals_of_all(api: Api, dynamodb: "DynamoDBClient") -> None:
    """The pages together are the invoice."""
    store(dynamodb, [row(StockCode=f"S{n}", Occurrence=1) for n in range(7)])
    answer = api.get("/invoices/536365", limit=3).json()
    pages = [answer]
    while answer["next_token"]:
        answer = api.get("/invoices/536365", limit=3, next_token=answer["next_token"]).json()
        pages.append(answer)
    assert [[line["StockCode"] for line in page["lines"]] for page in pages] == [
        ["S0", "S1", "S2"],
        ["S3", "S4", "S5"],
        ["S6"],
    ]
    assert [page["line_count"] for page in pages] == [7, 7, 7]


def test_a_line_that_arrives_between_two_pages_repeats_no_other(api: Api, dynamodb: "DynamoDBClient") -> None:
    """A token has the id of the last line, not a number of lines."""
    store(dynamodb, [row(StockCode=f"S{n}", Occurrence=1) for n in range(4)])
    token = api.get("/invoices/536365", limit=2).json()["next_token"]
    store(dynamodb, [row(StockCode="A-first", Occurrence=1)])
    answer = api.get("/invoices/536365", limit=2, next_token=token).json()
    assert [line["StockCode"] for line in answer["lines"]] == ["S2", "S3"]


@pytest.mark.parametrize("path", ["/invoices/999999", "/invoices?InvoiceNo=999999"])
def test_an_unknown_invoice_is_not_found(path: str, api: Api) -> None:
    """The response is not an empty invoice."""
    answer = api.get(path)
    assert (answer.status_code, answer.json()["detail"]) == (404, "No such invoice.")
