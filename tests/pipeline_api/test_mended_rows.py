"""POST /rejections/{id}/rows/{index}: a rejected row is sent mended, once, and its rejection notes it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import httpx
import pytest

from aws.api_keys import Scope
from aws.bucket import Bucket
from aws.metrics import Metric
from aws.rejections import Rejection, RejectionStore
from aws.resend import resend as resend_to_stream
from invoices.batch import unpack
from invoices.errors import Throttled
from invoices.rows import read_ndjson
from pipeline_api.app import create_app
from pipeline_api.asgi import run_inline
from pipeline_api.problems import Forbidden
from pipeline_api.rejections import send_mended
from pipeline_ops.erase.statements import StatementWriter
from pipeline_ops.redrive import parse_fix
from pipeline_ops.rejected import resend
from tests.invoice_rows import Row, ndjson, row
from tests.pipeline_api.api_calls import AS_JSON, AS_NDJSON, Api
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB
from tests.pipeline_api.fake_kinesis import FakeKinesis, PutRecord
from tests.pipeline_api.open_services import open_services
from tests.recorded_metrics import RecordedMetrics

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Send = Callable[..., httpx.Response]
WITHDRAWAL = {"Withdrawn": True, "AsOf": "2026-11-26T09:00:00Z", "Occurrence": 1}


def fail_to_put(_key: str, _record: bytes) -> None:
    raise Throttled


@pytest.fixture
def store(s3: "S3Client") -> RejectionStore:
    return RejectionStore(Bucket(s3, "raw-bucket"))


@pytest.fixture
def metrics() -> RecordedMetrics:
    return RecordedMetrics()


def keeping(store: RejectionStore, put_records: list[PutRecord], metrics: RecordedMetrics) -> Api:
    services = open_services(FakeKinesis(put_records).stream(), FakeDynamoDB([]).tables([]), metrics)

    def refuse_corrections(_key: str | None, scope: Scope | None) -> None:
        if scope is Scope.CORRECT:
            raise Forbidden("the API key does not permit this")

    services = replace(services, authorize=refuse_corrections)
    return Api(create_app(replace(services, keep_rejections=lambda: store, open_rejections=lambda: store), run_inline))


@pytest.fixture
def api(store: RejectionStore, put_records: list[PutRecord], metrics: RecordedMetrics) -> Api:
    return keeping(store, put_records, metrics)


@pytest.fixture
def rejection_id(api: Api, put_records: list[PutRecord], metrics: RecordedMetrics) -> str:
    """Of a request whose rows 1 and 2 are equal and were rejected; the API has forgotten what it did for it."""
    api.ingest(ndjson([row(), row(Quantity="six"), row(Quantity="six")]), AS_NDJSON)
    put_records.clear()
    metrics.puts.clear()
    found: str = api.get("/rejections").json()["rejections"][0]["id"]
    return found


@pytest.fixture
def send(api: Api, rejection_id: str) -> Send:
    def run(body: object, index: int = 1) -> httpx.Response:
        path = f"/rejections/{rejection_id}/rows/{index}"
        return api.call("POST", path, content=json.dumps(body).encode(), headers=AS_JSON)

    return run


def sent_rows(record: PutRecord) -> list[int]:
    return [line.Quantity for line in read_ndjson(unpack(record[1], 10_000)).lines]


def kept(api: Api, rejection_id: str) -> list[tuple[bool, str | None]]:
    """Of each kept row whether it was sent since, and with which quantity."""
    rows = api.get(f"/rejections/{rejection_id}").json()["rows"]
    return [(each["is_resent"], each["resent"] and each["resent"]["Quantity"]) for each in rows]


def test_a_mended_row_is_sent_once_and_noted(
    api: Api, send: Send, rejection_id: str, put_records: list[PutRecord], metrics: RecordedMetrics
) -> None:
    """However often it is sent; the list counts it, and the other row stays as it is."""
    answers = [send(row()) for _ in range(2)]
    batch_id = f"resent-{rejection_id[-16:]}"
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == {"batch_id": batch_id, "accepted": 1, "rejected": 0, "errors": []}
    assert answers[0].headers["Location"] == f"/batches/{batch_id}"
    assert [(each[0], sent_rows(each)) for each in put_records] == [(batch_id, [6])]
    assert kept(api, rejection_id) == [(True, "6"), (False, None)]
    assert [each["resent"] for each in api.get("/rejections").json()["rejections"]] == [1]
    assert metrics.puts[0] == (batch_id, [Metric("RowsAccepted", 1)])


def test_equal_rows_of_a_request_are_two(send: Send, put_records: list[PutRecord]) -> None:
    """They go in one batch, which numbers equal rows."""
    send(row(), 1)
    send(row(), 2)
    assert sent_rows(put_records[-1]) == [6, 6]
    assert len({key for key, _ in put_records}) == 1


def test_the_values_that_were_sent_first_hold(
    api: Api, send: Send, rejection_id: str, put_records: list[PutRecord]
) -> None:
    """Whether the API or an operator sends others."""
    send(row())
    refused = send(row(Quantity=7))
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:invoice-stream:problem:sent-before")
    assert kept(api, rejection_id)[0] == (True, "6")
    assert len(put_records) == 1


def test_a_row_that_was_decided_and_did_not_arrive_is_not_said_to_be_sent(
    store: RejectionStore, api: Api, send: Send, rejection_id: str, put_records: list[PutRecord]
) -> None:
    """Its values are shown, and the same ones send it, however they are written."""
    found = store.read(rejection_id)
    assert found
    with pytest.raises(Throttled):
        resend_to_stream(store, fail_to_put, found, {1: ndjson([row()]).strip()})
    assert kept(api, rejection_id)[0] == (False, "6")
    assert send(row(Quantity=7)).status_code == 409
    assert send(dict(reversed(row().items()))).status_code == 202
    assert (kept(api, rejection_id)[0], sent_rows(put_records[-1])) == ((True, "6"), [6])


def test_an_id_that_came_as_a_number_stays_the_same_id(api: Api, put_records: list[PutRecord]) -> None:
    """As text it would keep its point."""
    api.ingest(ndjson([row(StockCode=22752.0, Quantity="six")]), AS_NDJSON)
    rejection = api.get("/rejections").json()["rejections"][0]["id"]
    assert api.get(f"/rejections/{rejection}").json()["rows"][0]["row"]["StockCode"] == "22752"


def test_an_operator_sends_only_what_the_page_has_not_sent(
    store: RejectionStore, send: Send, rejection_id: str, put_records: list[PutRecord]
) -> None:
    """And the other way round: the row that the command sent is refused here."""
    send(row())
    result = resend(store, lambda *record: put_records.append(record), rejection_id, parse_fix(["Quantity=7"], []))
    assert (result.rows, result.before) == (1, 1)
    assert sent_rows(put_records[-1]) == [6, 7]
    assert send(row(Quantity=8), 2).status_code == 409


def test_a_row_that_is_still_invalid_is_named_and_not_kept_again(
    api: Api, send: Send, rejection_id: str, put_records: list[PutRecord]
) -> None:
    """It is among the rejected rows already."""
    answer = send(row(Quantity="7x"))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Quantity")
    assert [each["id"] for each in api.get("/rejections").json()["rejections"]] == [rejection_id]
    assert put_records == []


@pytest.mark.parametrize(("body", "status"), [([row(), row()], 400), ([], 422), ([row(), {}], 400)])
def test_a_body_has_one_row(send: Send, put_records: list[PutRecord], body: list[Row], status: int) -> None:
    assert send(body).status_code == status
    assert put_records == []


def test_what_was_not_rejected_is_not_found(api: Api, send: Send, offline_api: Api) -> None:
    """A row that was accepted, a request without rejected rows, and all where none are kept."""
    unknown = "/rejections/2026-11-26.43195.batch-1.0123456789abcdef/rows/0"
    answers = [send(row(), 0), *(each.call("POST", unknown, json=row()) for each in (api, offline_api))]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


def test_a_row_that_takes_a_line_back_needs_its_scope(send: Send, put_records: list[PutRecord]) -> None:
    """A mended row must not be a way around."""
    assert send(row(**WITHDRAWAL)).status_code == 403
    assert put_records == []


def test_a_row_of_an_erased_customer_is_not_sent(
    store: RejectionStore, send: Send, put_records: list[PutRecord]
) -> None:
    """The erasure overlooked the request, which arrived while it ran."""
    writer = StatementWriter(store.bucket)
    writer.begin("17850", 0, keeps_lines=False)
    refused = send(row())
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:invoice-stream:problem:customer-erased")
    assert put_records == []


def test_two_at_once_are_both_sent(store: RejectionStore, rejection_id: str, put_records: list[PutRecord]) -> None:
    """The one that decides second reads again."""
    text = ndjson([row()])

    class Slow(RejectionStore):
        def read(self, rejection_id: str) -> tuple[Rejection, str] | None:
            found = store.read(rejection_id)
            send_mended(store, put, rejection_id, 2, text)
            return found

    def put(*record: str | bytes) -> None:
        put_records.append(cast("PutRecord", record))

    send_mended(Slow(store.bucket), put, rejection_id, 1, text)
    assert sent_rows(put_records[-1]) == [6, 6]


def test_a_row_stays_a_row_of_one_line(send: Send, api: Api, put_records: list[PutRecord], rejection_id: str) -> None:
    """The stream carries NDJSON, whatever line breaks a body has."""
    path = f"/rejections/{rejection_id}/rows/1"
    api.call("POST", path, content=json.dumps(row(), indent=2).encode(), headers=AS_JSON)
    assert sent_rows(put_records[0]) == [6]
