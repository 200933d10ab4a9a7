"""The metrics of a request."""

import pytest

from aws.metrics import Metric
from tests.invoice_rows import Row, ndjson, row
from tests.pipeline_api.api_calls import AS_JSON, AS_NDJSON, Api
from tests.recorded_metrics import RecordedMetrics

BATCH = {"Idempotency-Key": "batch-1"}


def rejected(reason: str, rows: int) -> Metric:
    return Metric("RowsRejected", rows, reason=reason)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(), row()], [Metric("RowsAccepted", 2)]),
        ([row(), row(Quantity="x")], [Metric("RowsAccepted", 1), rejected("Quantity", 1)]),
        ([row(Quantity="x", UnitPrice="y")], [rejected("Quantity", 1)]),
        ([row(Country=None), row(Country=None), row(Quantity="x")], [rejected("Country", 2), rejected("Quantity", 1)]),
    ],
)
def test_each_row_is_counted_once(
    offline_api: Api, metrics: RecordedMetrics, rows: list[Row], expected: list[Metric]
) -> None:
    """A rejected row is counted under its first invalid field."""
    offline_api.ingest(ndjson(rows), AS_NDJSON, BATCH)
    assert metrics.puts == [("batch-1", expected)]


def test_only_known_fields_are_reasons(offline_api: Api, metrics: RecordedMetrics) -> None:
    """An unknown field makes no metric of its own, because callers could make thousands."""
    strange = [row(JaneDoe=number) for number in range(3)]
    misspelt = [row(CustomerId=number) for number in range(3)]
    offline_api.ingest(ndjson([row(), *strange, *misspelt]) + b"\n[1]\n{", AS_NDJSON, BATCH)
    assert metrics.puts == [("batch-1", [Metric("RowsAccepted", 1), rejected("row", 5), rejected("unknown field", 3)])]


@pytest.mark.parametrize(
    ("body", "reason"), [(b"[", "Malformed"), (b"[]", "InvalidRows"), (b"[" + b"1," * 10_000 + b"1]", "TooLarge")]
)
def test_a_body_whose_rows_cannot_be_counted_is_a_rejected_request(
    offline_api: Api, metrics: RecordedMetrics, body: bytes, reason: str
) -> None:
    """The reason is the kind of error."""
    offline_api.ingest(body, AS_JSON, BATCH)
    assert metrics.puts == [("batch-1", [Metric("RequestsRejected", 1, reason=reason)])]
