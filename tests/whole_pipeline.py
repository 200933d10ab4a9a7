"""The whole pipeline in this process: the real API and consumers over moto, delivered to by hand."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aws.bucket import Bucket, DeadLetterStore
from aws.lambda_events import BatchResponse
from aws.receipts import ReceiptWriter
from aws.stream import Stream
from consumers.archive import Archive
from consumers.batch_loop import Stage, consume
from consumers.index import Index
from invoices.batch import unpack
from invoices.limits import MAX_BODY_BYTES
from local_runtime.event_source_mapping.events import StreamRecord, kinesis_event
from pipeline_api.queries.tables import Tables
from tests.consumers.events import PLENTY
from tests.pipeline_api.api_calls import AS_JSON, Api
from tests.pipeline_api.open_services import app_over, open_services
from tests.recorded_metrics import RecordedMetrics

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import RecordTypeDef
    from mypy_boto3_s3 import S3Client


STREAM_ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/rows"


@dataclass
class WholePipeline:
    kinesis: "KinesisClient"
    s3: "S3Client"
    dynamodb: "DynamoDBClient"
    pauses: list[float] = field(default_factory=list)

    @property
    def api(self) -> Api:
        """Over the stream and the tables."""
        tables = Tables(self.dynamodb, "invoices", "customers", self.pauses.append)
        return Api(app_over(open_services(Stream(self.kinesis, "rows"), tables)))

    def post(self, *rows: Mapping[str, object], key: str | None = None) -> dict[str, Any]:
        """Send rows as one request; the API must take it."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.api.ingest(json.dumps(rows).encode(), AS_JSON, headers)
        assert answer.status_code == 202, answer.text
        taken: dict[str, Any] = answer.json()
        return taken

    def get(self, path: str) -> Any:
        answer = self.api.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def records(self) -> "Sequence[RecordTypeDef]":
        shard = self.kinesis.list_shards(StreamName="rows")["Shards"][0]["ShardId"]
        start = self.kinesis.get_shard_iterator(StreamName="rows", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        return self.kinesis.get_records(ShardIterator=start["ShardIterator"])["Records"]

    def deliver(self) -> list[BatchResponse]:
        """Give everything that was ever put to both consumers, as after a restart from the beginning."""
        event = kinesis_event([_stream_record(record) for record in self.records()], STREAM_ARN)
        bucket, metrics_log = Bucket(self.s3, "raw-bucket"), RecordedMetrics()
        archive, index = Archive(bucket), Index(self.dynamodb, "invoices", "customers")
        receipts = ReceiptWriter(self.dynamodb, "batches", 30, time.time)
        to_dynamodb = Stage(index.add, DeadLetterStore(bucket, "to_dynamodb").put, receipts.put)
        return [
            consume(event, PLENTY, Stage(archive.add, DeadLetterStore(bucket, "to_s3").put), metrics_log),
            consume(event, PLENTY, to_dynamodb, metrics_log),
        ]

    def keys(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket="raw-bucket", Prefix=prefix).get("Contents", [])
        return [each["Key"] for each in found]

    def raw_rows(self) -> int:
        bodies = [self.s3.get_object(Bucket="raw-bucket", Key=key)["Body"].read() for key in self.keys("raw/")]
        return sum(len(unpack(body, MAX_BODY_BYTES).splitlines()) for body in bodies)


def _stream_record(record: "RecordTypeDef") -> StreamRecord:
    return StreamRecord(
        shard_id="shardId-000000000000",
        sequence_number=record["SequenceNumber"],
        partition_key=record["PartitionKey"],
        data=record["Data"],
        arrived=record["ApproximateArrivalTimestamp"].timestamp(),
    )
