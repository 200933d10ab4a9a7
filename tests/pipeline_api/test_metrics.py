"""What the API counts of a request."""

import pytest

from aws.metrics import Metric
from pipeline_api.app import create_app
from pipeline_api.asgi import run_inline
from tests.invoice_rows import Row, ndjson, row
from tests.pipeline_api.api_calls import AS_JSON, AS_NDJSON, Api
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB
from tests.pipeline_api.fake_kinesis import FakeKinesis
from tests.pipeline_api.open_services import open_services
from tests.recorded_metrics import RecordedMetrics

BATCH = {"Idempotency-Key": "batch-1"}


@pytest.fixture
def metrics() -> RecordedMetrics:
    return RecordedMetrics()


@pytest.fixture
def measured(metrics: RecordedMetrics) -> Api:
    services = open_services(FakeKinesis([]).stream(), FakeDynamoDB([]).tables([]), metrics)
    return Api(create_app(services, run_inline))


def refused(reason: str, rows: int) -> Metric:
    return Metric("RowsRejected", rows, reason=reason)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(), row()], [Metric("RowsAccepted", 2)]),
        ([row(), row(Quantity="x")], [Metric("RowsAccepted", 1), refused("Quantity", 1)]),
        ([row(Quantity="x", UnitPrice="y")], [refused("Quantity", 1)]),
        ([row(Country=None), row(Country=None), row(Quantity="x")], [refused("Country", 2), refused("Quantity", 1)]),
    ],
)
def test_rows_are_counted_once_each(
    measured: Api, metrics: RecordedMetrics, rows: list[Row], expected: list[Metric]
) -> None:
    """A refused one under the first field at fault."""
    measured.ingest(ndjson(rows), AS_NDJSON, BATCH)
    assert metrics.puts == [("batch-1", expected)]


def test_what_is_no_row_at_all_has_no_field(measured: Api, metrics: RecordedMetrics) -> None:
    """And a field that we do not know makes no metric of its own: callers could make thousands."""
    strange = [row(JaneDoe=number) for number in range(3)]
    measured.ingest(ndjson([row(), *strange]) + b"\n[1]\n{", AS_NDJSON, BATCH)
    assert metrics.puts == [("batch-1", [Metric("RowsAccepted", 1), refused("row", 2), refused("unknown field", 3)])]


@pytest.mark.parametrize(
    ("body", "reason"), [(b"[", "Malformed"), (b"[]", "InvalidRows"), (b"[" + b"1," * 10_000 + b"1]", "TooLarge")]
)
def test_a_body_without_countable_rows_is_a_request_rejected(
    measured: Api, metrics: RecordedMetrics, body: bytes, reason: str
) -> None:
    """By kind."""
    measured.ingest(body, AS_JSON, BATCH)
    assert metrics.puts == [("batch-1", [Metric("RequestsRejected", 1, reason=reason)])]
