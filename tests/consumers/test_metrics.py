"""The metrics of the consumers."""

from typing import TYPE_CHECKING

import pytest

from aws.bucket import Bucket, DeadLetterStore
from aws.metrics import Metric
from consumers.archive import Archive
from consumers.batch_loop import Record, Stage, consume
from consumers.index import Index
from tests.consumers.events import BATCH, PLENTY, batch, event_of
from tests.invoice_rows import row
from tests.recorded_metrics import RecordedMetrics

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

ARRIVED = 1700000000.0  # as in events.py
EVENT = event_of(batch([row(), row(Quantity=2)]), b"poison", batch([row(), row(Quantity="x")]))
SET_ASIDE = [Metric("RecordsSetAside", 1)]


@pytest.fixture
def index(dynamodb: "DynamoDBClient") -> Index:
    return Index(dynamodb, "invoices", "customers", now=lambda: ARRIVED + 1.5)


def test_to_s3_counts_records(s3: "S3Client") -> None:
    """Archived or dead; it does not look at rows."""
    bucket, metrics_log = Bucket(s3, "raw-bucket"), RecordedMetrics()
    consume(EVENT, PLENTY, Stage(Archive(bucket).add, DeadLetterStore(bucket, "to_s3").put), metrics_log)
    archived = [Metric("RecordsArchived", 1)]
    assert metrics_log.puts == [("batch-1", archived), ("batch-2", SET_ASIDE), ("batch-3", archived)]


def test_to_dynamodb_counts_rows_and_their_age(s3: "S3Client", index: Index) -> None:
    """The age since they arrived on the stream. A record of which some rows are dead letters counts for both."""
    metrics_log = RecordedMetrics()
    consume(EVENT, PLENTY, Stage(index.add, DeadLetterStore(Bucket(s3, "raw-bucket"), "to_dynamodb").put), metrics_log)
    age = Metric("AgeWhenQueryable", 1500, "Milliseconds")
    assert metrics_log.puts == [
        ("batch-1", [Metric("RowsIndexed", 2), age]),
        ("batch-2", SET_ASIDE),
        ("batch-3", [Metric("RowsIndexed", 1), age]),
        ("batch-3", SET_ASIDE),
    ]


@pytest.mark.parametrize(
    ("arrived_at", "ages"), [(ARRIVED + 9, [0]), (None, [])], ids=["a clock that is behind", "not from the stream"]
)
def test_an_age_is_never_invented(index: Index, arrived_at: float | None, ages: list[int]) -> None:
    """Nor negative."""
    metrics = index.add(Record(BATCH, "1", batch([row()]), arrived_at)).metrics
    assert [metric.value for metric in metrics if metric.name == "AgeWhenQueryable"] == ages
