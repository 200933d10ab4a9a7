"""GET /batches: the receipt of a batch, and the latest batches."""

from typing import TYPE_CHECKING

import pytest

from aws.receipts import Receipt, ReceiptWriter
from tests.pipeline_api.api_calls import Api
from tests.receipts import receipt

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def writer(dynamodb: "DynamoDBClient") -> ReceiptWriter:
    return ReceiptWriter(dynamodb, "batches", 30, lambda: 0.0)


def put(writer: ReceiptWriter, *receipts: Receipt) -> None:
    for each in receipts:
        writer.put(each)


def test_a_batch_has_its_receipt(api: Api, writer: ReceiptWriter) -> None:
    """`rows` is what was accepted."""
    put(writer, receipt("batch-1", stored=5, set_aside=1))
    answer = api.get("/batches/batch-1")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "batch_id": "batch-1",
            "rows": 6,
            "stored": 5,
            "set_aside": 1,
            "arrived_at": "1970-01-01T00:00:00.000+00:00",
            "queryable_at": "1970-01-01T00:00:00.500+00:00",
            "rejected": None,
        },
    )


def test_two_bodies_of_a_batch_are_added_up(api: Api, writer: ReceiptWriter) -> None:
    """The first arrival, and the time when all rows were queryable."""
    put(writer, receipt("a", body=b"1", stored=2), receipt("a", body=b"2", stored=3, set_aside=1, arrived=9.0))
    answer = api.get("/batches/a").json()
    assert (answer["rows"], answer["stored"], answer["set_aside"]) == (6, 5, 1)
    assert (answer["arrived_at"][17:22], answer["queryable_at"][17:22]) == ("00.00", "09.50")


def test_a_batch_without_a_receipt_is_worth_asking_again(api: Api) -> None:
    """Its rows may be on their way."""
    answer = api.get("/batches/batch-1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (404, "1")
    assert answer.json()["detail"].startswith("There is no receipt of this batch yet")


def test_too_many_bodies_of_a_batch_are_a_problem(
    api: Api, writer: ReceiptWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than sums that leave some of them out."""
    monkeypatch.setattr("pipeline_api.queries.queries.MOST_BODIES", 1)
    put(writer, receipt("a", body=b"1"), receipt("a", body=b"2"))
    answer = api.get("/batches/a")
    assert (answer.status_code, answer.json()["title"]) == (409, "Too many bodies")


def test_the_latest_batches_come_first_and_in_pages(api: Api, writer: ReceiptWriter) -> None:
    """The last page has no token."""
    put(writer, *(receipt(str(number), arrived=float(number)) for number in range(5)))
    pages = [api.get("/batches", limit=2).json()]
    while token := pages[-1]["next_token"]:
        pages.append(api.get("/batches", limit=2, next_token=token).json())
    assert [[each["batch_id"] for each in page["batches"]] for page in pages] == [["4", "3"], ["2", "1"], ["0"]]


def test_without_a_batch_the_page_is_empty(api: Api) -> None:
    """As in a new stack."""
    assert api.get("/batches").json() == {"batches": [], "next_token": None}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/batches/-", 422),
        ("/batches/a?limit=1", 422),
        ("/batches?limit=101", 422),
        ("/batches?limit=1&limit=2", 422),
        ("/batches?next_token=abc", 400),
    ],
)
def test_an_invalid_query_is_a_problem(offline_api: Api, path: str, status: int) -> None:
    """No table is read for it."""
    assert offline_api.call("GET", path).status_code == status
