"""What the consumers count."""

from typing import TYPE_CHECKING

import pytest

from aws.metrics import Metric
from consumers.archive import Archive
from consumers.batch_loop import consume
from consumers.dead_letters import DeadLetterStore
from consumers.index import Index
from consumers.records import Record, Reporting
from tests.consumers.events import PLENTY, batch, event_of
from tests.invoice_rows import row
from tests.recorded_metrics import RecordedMetrics

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

ARRIVED = 1700000000.0  # as in events.py
EVENT = event_of(batch([row(), row(Quantity=2)]), b"poison", batch([row(), row(Quantity="x")]))
SET_ASIDE = [Metric("RecordsSetAside", 1)]


@pytest.fixture
def metrics() -> RecordedMetrics:
    return RecordedMetrics()


@pytest.fixture
def reporting(metrics: RecordedMetrics) -> Reporting:
    return Reporting(metrics, lambda: ARRIVED + 1.5)


def test_to_s3_counts_records(s3: "S3Client", reporting: Reporting, metrics: RecordedMetrics) -> None:
    """Archived or set aside; it looks at no row."""
    archive = Archive(s3, "raw-bucket", reporting.archived)
    consume(EVENT, archive.add, DeadLetterStore(s3, "raw-bucket", "to_s3", reporting.set_aside).keep, PLENTY)
    archived = [Metric("RecordsArchived", 1)]
    assert metrics.puts == [("batch-1", archived), ("batch-2", SET_ASIDE), ("batch-3", archived)]


def test_to_dynamodb_counts_rows_and_how_old_they_are(
    s3: "S3Client", dynamodb: "DynamoDBClient", reporting: Reporting, metrics: RecordedMetrics
) -> None:
    """From their arrival on the stream. A record of which some rows are set aside counts for both."""
    index = Index(dynamodb, "invoices", "customers", told=reporting.indexed)
    consume(EVENT, index.add, DeadLetterStore(s3, "raw-bucket", "to_dynamodb", reporting.set_aside).keep, PLENTY)
    age = Metric("AgeWhenQueryable", 1500, "Milliseconds")
    assert metrics.puts == [
        ("batch-1", [Metric("RowsIndexed", 2), age]),
        ("batch-2", SET_ASIDE),
        ("batch-3", [Metric("RowsIndexed", 1), age]),
        ("batch-3", SET_ASIDE),
    ]


@pytest.mark.parametrize(
    ("arrived_at", "ages"), [(ARRIVED + 9, [0]), (None, [])], ids=["a clock that is behind", "from no stream"]
)
def test_an_age_is_never_made_up(
    reporting: Reporting, metrics: RecordedMetrics, arrived_at: float | None, ages: list[int]
) -> None:
    """Nor negative."""
    reporting.indexed(Record("batch-1", "1", b"", arrived_at), 1)
    assert [measure.value for measure in metrics.puts[0][1] if measure.name == "AgeWhenQueryable"] == ages
