"""Rows that take a line back or restate it: who may send them, and what the queries answer then."""

from typing import TYPE_CHECKING

import pytest

from aws.api_keys import Scope
from aws.receipts import ReceiptTable
from invoices.batch import unpack
from invoices.fields import RULES
from invoices.line import line_id
from invoices.rows import read_rows
from pipeline_api.app import Services
from pipeline_api.problems import Forbidden
from tests.invoice_rows import Row, ndjson, row
from tests.pipeline_api.api_calls import AS_NDJSON, Api
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB
from tests.pipeline_api.fake_kinesis import FakeKinesis, PutRecord
from tests.pipeline_api.open_services import app_over
from tests.pipeline_api.store import store
from tests.recorded_metrics import RecordedMetrics

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NINE = {"AsOf": "2026-11-26T09:00:00Z"}
TEN = {"AsOf": "2026-11-26T10:00:00Z"}
TAKEN_BACK = {**NINE, "Withdrawn": True}
HEART = row(Occurrence=1)
LANTERN = row(StockCode="71053", Quantity=1, Occurrence=1)


def authorize_ingest(_key: str | None, scope: Scope | None) -> None:
    if scope is not Scope.INGEST:
        raise Forbidden("the API key does not permit this")


@pytest.fixture
def ingest_only(put_records: list[PutRecord]) -> Api:
    """The caller's key has the scope `ingest` and no other."""
    stream, tables = FakeKinesis(put_records).stream(), FakeDynamoDB([]).tables([])
    receipts = ReceiptTable(tables.client, "batches")
    return Api(app_over(Services(stream, tables, receipts, authorize_ingest, RecordedMetrics())))


@pytest.mark.parametrize("statement", [NINE, {"Withdrawn": True}, TAKEN_BACK])
def test_a_statement_needs_the_scope_correct(
    ingest_only: Api, offline_api: Api, put_records: list[PutRecord], statement: Row
) -> None:
    """Without it nothing of the batch is stored, also not its ordinary rows."""
    body = ndjson([HEART, {**LANTERN, **statement}])
    assert (ingest_only.ingest(body, AS_NDJSON).status_code, put_records) == (403, [])
    assert (offline_api.ingest(body, AS_NDJSON).status_code, len(put_records)) == (202, 1)


@pytest.mark.parametrize("statement", [NINE, {"Withdrawn": True}, TAKEN_BACK])
def test_a_statement_needs_the_occurrence_of_its_line(
    offline_api: Api, put_records: list[PutRecord], statement: Row
) -> None:
    """Without it the row would be a line of its own, and the statement about nothing. Other rows are accepted."""
    body = ndjson([row(**statement), row(Quantity="six"), {**HEART, **statement}, row()])
    answer = offline_api.ingest(body, AS_NDJSON)
    assert (answer.status_code, answer.json()["accepted"], answer.json()["rejected"]) == (202, 2, 2)
    refused = [(0, name, RULES[name]) for name in statement]
    expected = [*refused, (1, "Quantity", RULES["Quantity"])]
    assert [(each["index"], each["field"], each["message"]) for each in answer.json()["errors"]] == expected
    ((_, record),) = put_records
    assert unpack(record, 10_000) == ndjson([{**HEART, **statement}, row()])


def test_a_batch_of_statements_without_occurrence_needs_no_other_scope_to_be_refused(ingest_only: Api) -> None:
    """Nothing of it is stored, so the caller learns what is wrong with the rows."""
    answer = ingest_only.ingest(ndjson([row(**TAKEN_BACK)]), AS_NDJSON)
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (422, ["AsOf", "Withdrawn"])


def test_an_ordinary_row_needs_no_other_scope(ingest_only: Api) -> None:
    """Also if it says in so many words that it states nothing."""
    body = ndjson([HEART, {**LANTERN, "AsOf": None, "Withdrawn": False}])
    assert ingest_only.ingest(body, AS_NDJSON).status_code == 202


@pytest.mark.parametrize("order", [1, -1])
def test_a_line_that_was_taken_back_is_in_no_answer(api: Api, dynamodb: "DynamoDBClient", order: int) -> None:
    """Whether the withdrawal arrives before or after the line, and although the line is sent again later."""
    batches = [[HEART, LANTERN], [{**HEART, **TAKEN_BACK}]]
    store(dynamodb, *batches[::order], [HEART])
    invoice = api.get("/invoices/536365").json()
    customer = api.get("/customers/17850").json()
    (listed,) = api.get("/customers/17850/invoices").json()["invoices"]
    assert [line["StockCode"] for line in invoice["lines"]] == ["71053"]
    assert [each["total"] for each in (invoice, customer, listed)] == ["2.55"] * 3
    assert invoice["withdrawn_count"] == 1
    assert [(line["StockCode"], line["AsOf"]) for line in invoice["withdrawn"]] == [
        ("85123A", "2026-11-26T09:00:00.000000Z")
    ]


def test_a_line_that_was_taken_back_can_be_stated_again(api: Api, dynamodb: "DynamoDBClient") -> None:
    """The later statement holds."""
    store(dynamodb, [{**HEART, **TEN}], [HEART], [{**HEART, **TAKEN_BACK}])
    assert api.get("/invoices/536365").json()["total"] == "15.30"


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/invoices/536365", "Every line of this invoice was taken back."),
        ("/customers/17850", "Every line of this customer was taken back."),
        ("/customers/17850/invoices", "Every line of this customer was taken back."),
    ],
)
def test_what_was_taken_back_whole_is_not_found(api: Api, dynamodb: "DynamoDBClient", path: str, detail: str) -> None:
    """The problem says so, because the caller may remember the lines."""
    store(dynamodb, [HEART, LANTERN], [{**HEART, **TAKEN_BACK}, {**LANTERN, **TAKEN_BACK}])
    answer = api.get(path)
    assert (answer.status_code, answer.json()["detail"]) == (404, detail)


def test_an_invoice_that_was_taken_back_is_in_no_page_of_its_customer(api: Api, dynamodb: "DynamoDBClient") -> None:
    """A page may be shorter than its limit, and the next one still follows."""
    other = {**HEART, "InvoiceNo": "536366"}
    store(dynamodb, [HEART, other], [{**HEART, **TAKEN_BACK}])
    first = api.get("/customers/17850/invoices", limit=1).json()
    second = api.get("/customers/17850/invoices", limit=1, next_token=first["next_token"]).json()
    assert (first["invoices"], [each["InvoiceNo"] for each in second["invoices"]]) == ([], ["536366"])
    assert api.get("/customers/17850").json()["invoice_count"] == 1


def test_pages_go_on_behind_a_line_that_was_taken_back_meanwhile(api: Api, dynamodb: "DynamoDBClient") -> None:
    """The token names a line, which then is no longer in the answer."""
    rows = [row(StockCode=code, Occurrence=1) for code in "ABCD"]
    store(dynamodb, rows)
    token = api.get("/invoices/536365", limit=2).json()["next_token"]
    store(dynamodb, [{**rows[1], **TAKEN_BACK}])
    rest = api.get("/invoices/536365", limit=2, next_token=token).json()
    assert [line["StockCode"] for line in rest["lines"]] == ["C", "D"]


def test_equal_lines_are_not_shown_again_behind_one_that_was_taken_back(api: Api, dynamodb: "DynamoDBClient") -> None:
    """Their line ids decide about their order."""
    store(dynamodb, [row()], [row()], [row()])
    page = api.get("/invoices/536365", limit=2).json()
    (line,) = read_rows([ndjson([row()])]).lines
    second = sorted(range(3), key=lambda number: line_id(line, f"batch-{number}", 1))[1]
    store(dynamodb, *[[]] * second, [row(**TAKEN_BACK)])
    rest = api.get("/invoices/536365", limit=2, next_token=page["next_token"]).json()
    assert (len(page["lines"]), rest["line_count"], len(rest["lines"])) == (2, 2, 1)
