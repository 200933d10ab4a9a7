"""The Lambda entries: wired from the environment, and deaf to how warm they are."""

import gc
import gzip
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from aws.erasures import STATEMENTS_KEY, keyed_hash
from aws.lambda_events import BatchResponse, KinesisEvent
from aws.settings import MissingSettingError
from invoices.rows import ERASED_ROW
from tests.consumers.events import PLENTY, batch, event_of
from tests.invoice_rows import ndjson, row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

ENVIRONMENT = {
    "RAW_BUCKET": "raw-bucket",
    "INVOICES_TABLE": "invoices",
    "CUSTOMERS_TABLE": "customers",
    "BATCHES_TABLE": "batches",
    "RECEIPT_RETENTION_DAYS": "30",
    "METRICS_NAMESPACE": "stack",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, s3: "S3Client", dynamodb: "DynamoDBClient") -> Iterator[None]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    yield
    gc.enable()  # an entry that fails while it is imported leaves the collector at rest


def run(module: str, event: KinesisEvent) -> BatchResponse:
    """A cold start, as Lambda imports the module once for each container."""
    entry = importlib.reload(importlib.import_module(module))
    answer: BatchResponse = entry.handler(event, PLENTY)
    return answer


def raw_objects(s3: "S3Client") -> int:
    return s3.list_objects_v2(Bucket="raw-bucket", Prefix="raw/")["KeyCount"]


def test_to_s3_archives_every_record(s3: "S3Client") -> None:
    """Two containers that get the same event make one object of each record."""
    event = event_of(batch([row()]), batch([row(Quantity=2)]))
    assert [run("consumers.to_s3", event) for _ in range(2)] == [{"batchItemFailures": []}] * 2
    assert raw_objects(s3) == 2


def test_to_dynamodb_stores_every_record(dynamodb: "DynamoDBClient") -> None:
    """Poison in the middle goes to `failed/`, the others to the tables."""
    answer = run("consumers.to_dynamodb", event_of(batch([row()]), b"poison", batch([row(InvoiceNo="536366")])))
    assert answer == {"batchItemFailures": []}
    assert dynamodb.scan(TableName="invoices")["Count"] == 2


@pytest.fixture
def erased(s3: "S3Client") -> None:
    """An erasure of customer 17850 runs."""
    statement = {"customer": keyed_hash(bytes(32), "17850"), "begun_at": 0, "ended_at": None, "keeps_lines": False}
    document = json.dumps({"key": bytes(32).hex(), "statements": [statement]})
    s3.put_object(Bucket="raw-bucket", Key=STATEMENTS_KEY, Body=document.encode())


def test_to_s3_archives_no_row_of_an_erased_customer(s3: "S3Client", erased: None) -> None:
    """A mark stands in its place."""
    run("consumers.to_s3", event_of(batch([row(), row(CustomerID="13047")])))
    (archived,) = s3.list_objects_v2(Bucket="raw-bucket", Prefix="raw/")["Contents"]
    rows = gzip.decompress(s3.get_object(Bucket="raw-bucket", Key=archived["Key"])["Body"].read()).split(b"\n")
    assert rows == [ERASED_ROW, ndjson([row(CustomerID="13047")])]


def test_to_dynamodb_stores_no_row_of_an_erased_customer(dynamodb: "DynamoDBClient", erased: None) -> None:
    """The rows of others are stored."""
    run("consumers.to_dynamodb", event_of(batch([row(), row(CustomerID="13047")])))
    assert [item["CustomerID"]["S"] for item in dynamodb.scan(TableName="customers")["Items"]] == ["13047"]


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """And none of the others is shown."""
    run("consumers.to_s3", event_of())
    monkeypatch.delenv("RAW_BUCKET")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    with pytest.raises(MissingSettingError, match="RAW_BUCKET") as caught:
        run("consumers.to_s3", event_of())
    assert "very-secret" not in str(caught.value)


@pytest.mark.slow
def test_to_s3_starts_without_pydantic() -> None:
    """Which would double what it imports beside botocore; it checks no row."""
    environment = {**os.environ, **ENVIRONMENT, "AWS_DEFAULT_REGION": "us-east-1"}
    code = "import sys, consumers.to_s3; sys.exit('pydantic' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
