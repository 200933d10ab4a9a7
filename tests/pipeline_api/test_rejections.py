"""Rejected rows are kept, listed and shown: POST /ingest writes them, GET /rejections reads them."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import uuid6
from botocore.exceptions import ReadTimeoutError

from aws.bucket import Bucket
from aws.metrics import Metric
from aws.receipts import ReceiptWriter
from aws.rejections import RejectionStore, new_rejection
from invoices.errors import RowError
from pipeline_api.queries.tables import Tables
from tests.invoice_rows import Row, ndjson, row, without
from tests.pipeline_api.api_calls import AS_JSON, AS_NDJSON, Api
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB
from tests.pipeline_api.fake_kinesis import FakeKinesis, PutRecord
from tests.pipeline_api.open_services import app_over, open_services
from tests.receipts import receipt
from tests.recorded_metrics import RecordedMetrics

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

BATCH = {"Idempotency-Key": "batch-1"}
QUANTITY = {"field": "Quantity", "message": "must be a whole number of at most 9 digits"}


@pytest.fixture
def store(s3: "S3Client") -> RejectionStore:
    return RejectionStore(Bucket(s3, "raw-bucket"))


@pytest.fixture
def keeping(store: RejectionStore, put_records: list[PutRecord], metrics: RecordedMetrics) -> Api:
    services = open_services(FakeKinesis(put_records).stream(), FakeDynamoDB([]).tables([]), metrics)
    services = replace(services, keep_rejections=lambda: store, open_rejections=lambda: store)
    return Api(app_over(services))


@pytest.fixture
def listed(keeping: Api, store: RejectionStore) -> Api:
    """Three requests on three days, each with a reason of its own."""
    for day, (field, message) in enumerate(
        [("Country", "is missing"), ("Quantity", "is odd"), ("Country", "is odd")], 1
    ):
        moment = datetime(2026, 11, day, 12, tzinfo=UTC)
        store.create(new_rejection(f"batch-{day}", moment, {0: b"{}"}, [RowError(0, field, message)]))
    return keeping


def names(api: Api, query: str = "") -> list[str]:
    return [each["batch_id"] for each in api.get(f"/rejections{query}").json()["rejections"]]


def test_a_rejected_row_is_kept_as_it_was_sent(keeping: Api) -> None:
    """The list has its request with the reasons; the other row of the request is on the stream."""
    keeping.ingest(ndjson([row(), row(Quantity="six", UnitPrice=2.50)]), AS_NDJSON, BATCH)
    (entry,) = keeping.get("/rejections").json()["rejections"]
    assert (entry["batch_id"], entry["rejected"], entry["kept"], entry["resent"]) == ("batch-1", 1, 1, 0)
    assert entry["reasons"] == [{**QUANTITY, "rows": 1}]
    shown = keeping.get(f"/rejections/{entry['id']}").json()
    expected = {name: str(value) for name, value in row(Quantity="six", UnitPrice=2.5).items()}
    assert shown == {
        **entry,
        "rows": [{"index": 1, "errors": [QUANTITY], "row": expected, "text": None, "is_resent": False, "resent": None}],
        "next_token": None,
    }


def test_rows_of_a_request_without_a_valid_row_are_kept_too(keeping: Api, put_records: list[PutRecord]) -> None:
    """Nothing is on the stream; that it is sent again does not make the list longer."""
    for _ in range(2):
        answer = keeping.ingest(json.dumps([without("Country"), 7]).encode(), AS_JSON, BATCH)
        assert answer.status_code == 422
    (entry,) = keeping.get("/rejections").json()["rejections"]
    rows = keeping.get(f"/rejections/{entry['id']}").json()["rows"]
    assert [(each["row"], each["text"]) for each in rows] == [
        (without("Country") | {"Quantity": "6"}, None),
        (None, "7"),
    ]
    assert put_records == []


@pytest.mark.parametrize("body", [b"[]", b"[", ndjson([row()])])
def test_without_a_rejected_row_nothing_is_kept(keeping: Api, body: bytes) -> None:
    """Neither for a valid request nor for one that has no rows."""
    keeping.ingest(body, AS_JSON)
    assert names(keeping) == []


@pytest.mark.parametrize(("rows", "status"), [([row(Quantity="x")], 422), ([row(), row(Quantity="x")], 202)])
def test_a_bucket_that_fails_does_not_fail_the_request(
    rows: list[Row], status: int, s3: "S3Client", keeping: Api, metrics: RecordedMetrics
) -> None:
    """Whether the failure is transient or permanent. It is counted."""

    def time_out(**_event: object) -> None:
        raise ReadTimeoutError(endpoint_url="https://aws.test")

    s3.delete_bucket(Bucket="raw-bucket")
    assert keeping.ingest(ndjson(rows), AS_NDJSON, BATCH).status_code == status
    s3.meta.events.register_first("before-send", time_out)
    assert keeping.ingest(ndjson(rows), AS_NDJSON, BATCH).status_code == status
    lost = [metric for _, put in metrics.puts for metric in put if metric.name == "RejectedRowsNotKept"]
    assert lost == [Metric("RejectedRowsNotKept", 1)] * 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["batch-3", "batch-2", "batch-1"]),
        ("?from=2026-11-02", ["batch-3", "batch-2"]),
        ("?to=2026-11-02", ["batch-2", "batch-1"]),
        ("?field=Country", ["batch-3", "batch-1"]),
        ("?reason=ODD", ["batch-3", "batch-2"]),
        ("?field=Country&reason=missing", ["batch-1"]),
        ("?field=Quantity&reason=missing", []),
    ],
)
def test_the_list_is_filtered(listed: Api, query: str, expected: list[str]) -> None:
    """By days, both of which count, by field, and by text in a message."""
    assert names(listed, query) == expected


@pytest.mark.parametrize("query", ["limit=1", "limit=1&field=Country", "limit=2"])
def test_pages_have_everything_once(listed: Api, query: str) -> None:
    """In the order of the whole list."""
    found: list[str] = []
    token = None
    while not found or token:
        page = listed.get(f"/rejections?{query}{f'&next_token={token}' if token else ''}").json()
        found += [each["batch_id"] for each in page["rejections"]]
        token = page["next_token"]
    assert found == names(listed, "?field=Country" if "field" in query else "")


def test_a_token_belongs_to_its_query(listed: Api) -> None:
    token = listed.get("/rejections?limit=1").json()["next_token"]
    assert listed.get(f"/rejections?limit=1&field=Country&next_token={token}").status_code == 400


def test_rows_come_in_pages(keeping: Api) -> None:
    keeping.ingest(ndjson([row(Quantity=str(number) + "x") for number in range(3)]), AS_NDJSON)
    path = f"/rejections/{keeping.get('/rejections').json()['rejections'][0]['id']}"
    first = keeping.get(f"{path}?limit=2").json()
    second = keeping.get(f"{path}?limit=2&next_token={first['next_token']}").json()
    assert [each["index"] for each in (*first["rows"], *second["rows"])] == [0, 1, 2]
    assert second["next_token"] is None


def test_as_csv_the_rows_are_a_file_of_rejects(keeping: Api) -> None:
    """The columns of a CSV first, then line, field, reason, and the text of a row that the columns cannot hold."""
    sent = row(Description='5" "x", £', Quantity="x", CustomerID=None)
    colour = '{"Colour": "\\ud800"}'
    keeping.ingest("\n".join([json.dumps({**sent, "Occurrence": 2}), colour]).encode(), AS_NDJSON)
    rejection_id = keeping.get("/rejections").json()["rejections"][0]["id"]
    answer = keeping.call("GET", f"/rejections/{rejection_id}", headers={"Accept": "text/csv"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert f'filename="{rejection_id}.rejects.csv"' in answer.headers["Content-Disposition"]
    header, first, second = csv.reader(answer.text.splitlines(keepends=True))
    assert header == [*sent, "line", "field", "reason", "row"]
    assert first == [str(value or "") for value in sent.values()] + ["1", *QUANTITY.values(), ""]
    assert second[:8] + second[-1:] == [""] * 8 + [colour]


@pytest.mark.parametrize("name", ["nothing", "2026-11-26.43195.batch-1.0123456789abcdef%0A"])
def test_what_is_no_id_is_a_problem(keeping: Api, name: str) -> None:
    assert keeping.get(f"/rejections/{name}").status_code == 422


def test_a_receipt_counts_the_rejected_rows(store: RejectionStore, dynamodb: "DynamoDBClient") -> None:
    """Also those of another request with the same key, on the day when the batch arrived."""
    ReceiptWriter(dynamodb, "batches", 30, lambda: 0.0).put(receipt("batch-1"))
    texts, errors = {0: b"{}", 7: b"[]"}, [RowError(0, None, "is odd"), RowError(7, None, "is odd")]
    store.create(new_rejection("batch-1", datetime(1970, 1, 1, tzinfo=UTC), texts, errors))
    services = open_services(FakeKinesis([]).stream(), Tables(dynamodb, "invoices", "customers", lambda _: None))
    api = Api(app_over(replace(services, keep_rejections=lambda: store)))
    assert api.get("/batches/batch-1").json()["rejected"] == 2


@pytest.fixture
def with_receipts(store: RejectionStore, dynamodb: "DynamoDBClient") -> Api:
    """Rejected rows are kept, and the tables are moto's."""
    services = open_services(FakeKinesis([]).stream(), Tables(dynamodb, "invoices", "customers", lambda _: None))
    return Api(app_over(replace(services, keep_rejections=lambda: store)))


def test_a_receipt_counts_the_rejected_rows_of_every_day(
    store: RejectionStore, dynamodb: "DynamoDBClient", with_receipts: Api
) -> None:
    """The batch has a body on each of three days."""
    writer = ReceiptWriter(dynamodb, "batches", 30, lambda: 0.0)
    for day in range(3):
        writer.put(receipt("batch-1", body=b"%d" % day, arrived=day * 86_400.0))
        moment = datetime(1970, 1, 1 + day, tzinfo=UTC)
        store.create(new_rejection("batch-1", moment, {day: b"{}"}, [RowError(day, None, "is odd")], 1))
    assert with_receipts.get("/batches/batch-1").json()["rejected"] == 3


def test_a_receipt_without_the_bucket_has_no_count_of_rejected_rows(
    s3: "S3Client", dynamodb: "DynamoDBClient", with_receipts: Api
) -> None:
    """The receipt is worth having without it."""
    ReceiptWriter(dynamodb, "batches", 30, lambda: 0.0).put(receipt("batch-1"))
    s3.delete_bucket(Bucket="raw-bucket")
    answer = with_receipts.get("/batches/batch-1")
    assert (answer.status_code, answer.json()["rejected"]) == (200, None)


@pytest.mark.parametrize("key", ["batch-1", str(uuid6.uuid7())], ids=["any id", "UUIDv7"])
def test_a_batch_without_a_valid_row_gets_no_receipt(with_receipts: Api, key: str) -> None:
    """Unless it was sent again, mended, under the same id: the API cannot know, so it says what it knows."""
    with_receipts.ingest(ndjson([row(Quantity="x")]), AS_NDJSON, {"Idempotency-Key": key})
    answer = with_receipts.get(f"/batches/{key}")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (404, "1")
    assert answer.json()["detail"].endswith("an earlier request had no valid row, and GET /rejections shows why.")


def test_a_batch_with_some_valid_rows_will_get_its_receipt(with_receipts: Api) -> None:
    """Its rejected rows may be kept before its valid rows are stored."""
    with_receipts.ingest(ndjson([row(), row(Quantity="x")]), AS_NDJSON, BATCH)
    assert with_receipts.get("/batches/batch-1").headers["Retry-After"] == "1"


def test_what_is_not_there_is_not_found(keeping: Api, offline_api: Api) -> None:
    """Nor is anything where rejected rows are not kept."""
    unknown = "/rejections/2026-11-26.43195.batch-1.0123456789abcdef"
    answers = [keeping.get(unknown), offline_api.get(unknown), offline_api.get("/rejections")]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert answers[1].json()["detail"] == "Rejected rows are not kept."
