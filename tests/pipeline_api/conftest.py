"""The application over moto's stream and tables."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from aws.stream import Stream
from pipeline_api.queries.tables import Tables
from tests.pipeline_api.api_calls import Api
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB
from tests.pipeline_api.fake_kinesis import FakeKinesis, PutRecord
from tests.pipeline_api.open_services import app_over, open_services
from tests.recorded_metrics import RecordedMetrics

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
    return Api(app_over(open_services(Stream(kinesis, "rows"), tables)))


@pytest.fixture
def put_records() -> list[PutRecord]:
    """The records that `offline_api` put on its stream."""
    return []


@pytest.fixture
def fake() -> FakeDynamoDB:
    """The tables of `offline_api`, which are empty at first."""
    return FakeDynamoDB([])


@pytest.fixture
def metrics() -> RecordedMetrics:
    """The metrics of `offline_api`."""
    return RecordedMetrics()


@pytest.fixture
def offline_api(put_records: list[PutRecord], pauses: list[float], fake: FakeDynamoDB, metrics: RecordedMetrics) -> Api:
    """The application over fakes: faster than moto by some 50 ms a test, and by seconds with hundreds of items."""
    return Api(app_over(open_services(FakeKinesis(put_records).stream(), fake.tables(pauses), metrics)))


@pytest.fixture
def records(kinesis: "KinesisClient") -> Records:
    """Reads the partition key and the data of each record on the stream."""

    def read() -> list[tuple[str, bytes]]:
        shard = kinesis.list_shards(StreamName="rows")["Shards"][0]["ShardId"]
        start = kinesis.get_shard_iterator(StreamName="rows", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        found = kinesis.get_records(ShardIterator=start["ShardIterator"])["Records"]
        return [(record["PartitionKey"], record["Data"]) for record in found]

    return read
