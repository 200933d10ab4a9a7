"""The JSON that Lambda passes to a Kinesis consumer, and the JSON that it expects back.

https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
"""

from typing import Protocol, TypedDict


class KinesisEvent(TypedDict):
    """One batch of records of one shard, in order."""

    Records: "list[KinesisEventRecord]"


class KinesisEventRecord(TypedDict):
    kinesis: "KinesisPayload"
    eventSource: str
    eventVersion: str
    eventID: str
    eventName: str
    invokeIdentityArn: str
    awsRegion: str
    eventSourceARN: str


class KinesisPayload(TypedDict):
    """`data` is base64; `approximateArrivalTimestamp` is in seconds since 1970."""

    kinesisSchemaVersion: str
    partitionKey: str
    sequenceNumber: str
    data: str
    approximateArrivalTimestamp: float


class BatchResponse(TypedDict):
    """With ReportBatchItemFailures, Lambda redelivers from the lowest sequence number in this list."""

    batchItemFailures: "list[BatchItemFailure]"


class BatchItemFailure(TypedDict):
    """`itemIdentifier` is the record's sequence number."""

    itemIdentifier: str


class LambdaContext(Protocol):
    """The part of Lambda's context object that a consumer reads."""

    def get_remaining_time_in_millis(self) -> int: ...
