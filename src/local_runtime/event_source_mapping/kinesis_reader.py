"""The real stream."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aws.faults import retryable_faults
from local_runtime.event_source_mapping.reader import IteratorExpired, Page, Position, Shard
from local_runtime.event_source_mapping.records import StreamRecord

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import RecordTypeDef, ShardTypeDef


class KinesisReader:
    """Reads with GetRecords, as a mapping without enhanced fan-out does."""

    def __init__(self, kinesis: "KinesisClient", stream: str) -> None:
        self._kinesis = kinesis
        self._stream = stream

    def stream_arn(self) -> str:
        with retryable_faults("Kinesis"):
            answer = self._kinesis.describe_stream_summary(StreamName=self._stream)
        return answer["StreamDescriptionSummary"]["StreamARN"]

    def shards(self) -> Sequence[Shard]:
        with retryable_faults("Kinesis"):
            pages = self._kinesis.get_paginator("list_shards").paginate(StreamName=self._stream)
            return [_shard(shard) for page in pages for shard in page["Shards"]]

    def iterator(self, shard_id: str, position: Position) -> str:
        with retryable_faults("Kinesis"):
            return self._iterator(shard_id, position)

    def read(self, shard_id: str, iterator: str, limit: int) -> Page:
        with retryable_faults("Kinesis"):
            try:
                answer = self._kinesis.get_records(ShardIterator=iterator, Limit=limit)
            except self._kinesis.exceptions.ExpiredIteratorException as error:
                raise IteratorExpired(shard_id) from error
        records = tuple(_record(shard_id, record) for record in answer["Records"])
        return Page(records, answer.get("NextShardIterator"), answer.get("MillisBehindLatest", 0))

    def _iterator(self, shard_id: str, position: Position) -> str:
        stream, kinesis = self._stream, self._kinesis
        if position.kind == "AFTER_SEQUENCE_NUMBER":
            answer = kinesis.get_shard_iterator(
                StreamName=stream,
                ShardId=shard_id,
                ShardIteratorType=position.kind,
                StartingSequenceNumber=position.sequence_number,
            )
        elif position.kind == "AT_TIMESTAMP":
            answer = kinesis.get_shard_iterator(
                StreamName=stream,
                ShardId=shard_id,
                ShardIteratorType=position.kind,
                Timestamp=datetime.fromtimestamp(position.timestamp, UTC),
            )
        else:
            answer = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard_id, ShardIteratorType=position.kind)
        return answer["ShardIterator"]


def _shard(shard: "ShardTypeDef") -> Shard:
    parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
    return Shard(shard["ShardId"], tuple(parent for parent in parents if parent))


def _record(shard_id: str, record: "RecordTypeDef") -> StreamRecord:
    return StreamRecord(
        shard_id,
        record["SequenceNumber"],
        record["PartitionKey"],
        record["Data"],
        record["ApproximateArrivalTimestamp"].timestamp(),
    )
