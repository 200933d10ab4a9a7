"""The application over moto's stream and tables."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from pipeline_api.app import create_app
from pipeline_api.asgi import run_inline
from pipeline_api.ingest.route import Stream
from pipeline_api.queries.tables import Tables
from tests.pipeline_api.api_calls import Api
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB
from tests.pipeline_api.fake_kinesis import FakeKinesis, PutRecord
from tests.pipeline_api.open_services import open_services

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient

Records: TypeAlias = Callable[[], list[tuple[str, bytes]]]


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the API made, in seconds."""
    return []


@pytest.fixture
def api(kinesis: "KinesisClient", dynamodb: "DynamoDBClient", pauses: list[float]) -> Api:
    tables = Tables(dynamodb, "invoices", "customers", pauses.append)
    return Api(create_app(open_services(Stream(kinesis, "rows"), tables), run_inline))


@pytest.fixture
def put_records() -> list[PutRecord]:
    """The records that `offline_api` put on its stream."""
    return []


@pytest.fixture
def offline_api(put_records: list[PutRecord], pauses: list[float]) -> Api:
    """The application over fakes with empty tables: some 100 ms per test faster than moto."""
    return Api(
        create_app(open_services(FakeKinesis(put_records).stream(), FakeDynamoDB([]).tables(pauses)), run_inline)
    )


@pytest.fixture
def records(kinesis: "KinesisClient") -> Records:
    """Reads the partition key and the data of each record on the stream."""

    def read() -> list[tuple[str, bytes]]:
        shard = kinesis.list_shards(StreamName="rows")["Shards"][0]["ShardId"]
        start = kinesis.get_shard_iterator(StreamName="rows", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        found = kinesis.get_records(ShardIterator=start["ShardIterator"])["Records"]
        return [(record["PartitionKey"], record["Data"]) for record in found]

    return read
