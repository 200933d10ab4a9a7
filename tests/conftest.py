"""AWS for unit tests: moto in this process, with the tables and the bucket of the template."""

import gc
from collections.abc import Generator, Iterator
from copy import deepcopy
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.retries.standard import ExponentialBackoff
from hypothesis import settings
from moto import mock_aws
from moto.core.models import botocore_stubber
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table

from aws.clients import dynamodb_client, kinesis_client, s3_client
from tests.quick_aws import compute_once

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import KeySchemaElementTypeDef
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

ACCOUNT = "123456789012"  # moto's

# No deadline: a busy machine is no fault of the code. `make test-fast` chooses the second profile.
settings.register_profile("full", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=10)
settings.load_profile("full")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What the tests import stays for good, so no collection of garbage visits it, neither now nor later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def quick_aws() -> Iterator[None]:
    """botocore and moto compute once for a process what no test changes."""
    with pytest.MonkeyPatch.context() as patch:
        compute_once(patch)
        yield


@pytest.fixture
def aws(quick_aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every AWS call of the test stays in this process, and the SDK repeats a call without a pause.

    moto answers calls from its import on. `mock_aws` would do more, which takes 7 ms and serves other libraries.
    """
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr(botocore_stubber, "enabled", True)
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.0)
    yield
    mock_aws().reset()


@pytest.fixture
def kinesis(aws: None) -> "KinesisClient":
    """A client with the stream `rows` of one shard."""
    client = kinesis_client()
    client.create_stream(StreamName="rows", ShardCount=1)
    return client


@pytest.fixture
def s3(aws: None) -> "S3Client":
    """A client with the bucket `raw-bucket`."""
    client = s3_client()
    client.create_bucket(Bucket="raw-bucket")
    return client


@pytest.fixture
def dynamodb(aws: None) -> "DynamoDBClient":
    """A client with the tables `invoices`, `customers` and `batches`."""
    client = dynamodb_client()
    tables = dynamodb_backends[ACCOUNT]["us-east-1"].tables
    if not _empty_tables:
        create_table(client, "invoices", "InvoiceNo", "SliceId")
        create_table(client, "customers", "CustomerID", "Slice")
        _create_batches_table(client)
        _empty_tables.update(tables)
    tables.update(deepcopy(_empty_tables))
    return client


_empty_tables: dict[str, Table] = {}
"""moto's own, made once for a process. Each test gets a copy, which takes 0.5 ms; to make them takes 10."""


def _create_batches_table(client: "DynamoDBClient") -> None:
    """`batches`, with the index of the template."""
    client.create_table(
        TableName="batches",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_key("BatchId", "Body"),
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in _BATCH_KEYS],
        GlobalSecondaryIndexes=[
            {"IndexName": "ByArrival", "KeySchema": _key("Part", "Arrival"), "Projection": {"ProjectionType": "ALL"}}
        ],
    )


_BATCH_KEYS = ("BatchId", "Body", "Part", "Arrival")


def create_table(client: "DynamoDBClient", name: str, *keys: str) -> None:
    """`keys` are the partition key and, if there is one, the sort key."""
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_key(*keys),
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
    )


def _key(*keys: str) -> "list[KeySchemaElementTypeDef]":
    elements: list[KeySchemaElementTypeDef] = [
        {"AttributeName": keys[0], "KeyType": "HASH"},
        {"AttributeName": keys[-1], "KeyType": "RANGE"},
    ]
    return elements[: len(keys)]
