"""What is logged on a batch's way: its name on every line, and nothing of what its rows say."""

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ReadTimeoutError

from aws.bucket import Bucket, DeadLetterStore
from aws.metrics import EmfLog
from aws.receipts import ReceiptTable
from aws.rejections import RejectionStore
from aws.stream import Stream
from consumers.archive import Archive
from consumers.batch_loop import Stage, consume
from consumers.index import Index
from pipeline_api.app import Services
from pipeline_api.queries.tables import Tables
from tests.consumers.events import PLENTY, batch, delivered
from tests.invoice_rows import Row, ndjson, row
from tests.pipeline_api.api_calls import AS_JSON, AS_NDJSON, Api
from tests.pipeline_api.open_services import app_over, authorize_all

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

SECRET: Row = row(
    InvoiceNo="SECRET1", StockCode="SECRET2", Description="SECRET3", CustomerID="SECRET4", Country="SECRET5"
)
BAD: Row = {**SECRET, "Quantity": "SECRET6", "UnitPrice": "SECRET7", "SECRET8": "SECRET9"}
NAME = {"Idempotency-Key": "batch-1"}


@pytest.fixture
def lines() -> list[str]:
    """Every line of metrics."""
    return []


@pytest.fixture
def api(kinesis: "KinesisClient", dynamodb: "DynamoDBClient", s3: "S3Client", lines: list[str]) -> Api:
    """Rejected rows go to a bucket that is not there, because the failure is logged."""
    metrics = EmfLog("stack", lines.append, lambda: 0.0)
    tables = Tables(dynamodb, "invoices", "customers", lambda _seconds: None)
    receipts = ReceiptTable(dynamodb, "batches")
    services = Services(Stream(kinesis, "rows"), tables, receipts, authorize_all, metrics)
    missing = RejectionStore(Bucket(s3, "missing-bucket"))
    return Api(app_over(replace(services, keep_rejections=lambda: missing)))


def test_the_api_logs_names_and_numbers(
    api: Api, kinesis: "KinesisClient", lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Whether rows are taken or refused, whether the stream is there or away, whether there is an answer or none."""

    def time_out(**_event: object) -> None:
        raise ReadTimeoutError(endpoint_url="https://aws.test")

    with caplog.at_level(logging.INFO, "pipeline_api"):
        for body, form in ((ndjson([SECRET, BAD]), AS_NDJSON), (ndjson([BAD]), AS_NDJSON), (b'"SECRET', AS_JSON)):
            api.ingest(body, form, NAME)
        kinesis.meta.events.register_first("before-send", time_out)
        api.ingest(ndjson([SECRET]), AS_NDJSON, NAME)
        api.get("/customers/SECRET4")
    ours = [vars(entry) for entry in caplog.records if entry.name.startswith("pipeline_api")]
    assert {line["batch_id"] for line in [*map(json.loads, lines), *ours]} == {"batch-1"}
    assert len(lines) == 5
    assert [entry["route"] for entry in ours] == ["/ingest"] * 3
    assert "SECRET" not in "".join(lines) + caplog.text


def test_a_bug_is_logged_with_its_batch(api: Api, kinesis: "KinesisClient", caplog: pytest.LogCaptureFixture) -> None:
    """So that the trace, which the server logs beside it, can be told from others."""
    kinesis.delete_stream(StreamName="rows")
    api.ingest(ndjson([SECRET]), AS_NDJSON, NAME)
    (entry,) = (vars(entry) for entry in caplog.records if entry.name.startswith("pipeline_api"))
    assert (entry["levelname"], entry["batch_id"], entry["message"]) == (
        "ERROR",
        "batch-1",
        "Failed: ResourceNotFoundException",
    )
    assert "SECRET" not in caplog.text


def test_the_consumers_log_names_and_numbers(
    s3: "S3Client", dynamodb: "DynamoDBClient", lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Good rows, bad ones, and bytes that nobody can read."""
    bucket, metrics_log = Bucket(s3, "raw-bucket"), EmfLog("stack", lines.append, lambda: 0.0)
    index, archive = Index(dynamodb, "invoices", "customers"), Archive(bucket)
    put = DeadLetterStore(bucket, "to_dynamodb").put
    with caplog.at_level(logging.INFO, "consumers"):
        for data in (batch([SECRET, BAD]), b"SECRET"):
            for process in (archive.add, index.add):
                consume({"Records": [delivered(data, "batch-1")]}, PLENTY, Stage(process, put), metrics_log)
    entries = [vars(entry) for entry in caplog.records if entry.name.startswith("consumers")]
    assert {line["batch_id"] for line in [*map(json.loads, lines), *entries]} == {"batch-1"}
    assert len(lines) > len(entries) == 3
    assert "SECRET" not in "".join(lines) + caplog.text
