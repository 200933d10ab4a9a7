"""What Lambda hands to a consumer and what it wants back, in its own words."""

from base64 import b64decode
from dataclasses import dataclass
from typing import Protocol, TypedDict


class KinesisData(TypedDict):
    partitionKey: str
    sequenceNumber: str
    data: str
    approximateArrivalTimestamp: float


class KinesisEventRecord(TypedDict):
    eventID: str
    kinesis: KinesisData


class KinesisEvent(TypedDict):
    Records: list[KinesisEventRecord]


class BatchItemFailure(TypedDict):
    itemIdentifier: str


class BatchResponse(TypedDict):
    """With ReportBatchItemFailures the lowest sequence number in here is where the next delivery starts."""

    batchItemFailures: list[BatchItemFailure]


class LambdaContext(Protocol):
    """The part of Lambda's context object that a consumer reads."""

    def get_remaining_time_in_millis(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the stream. `batch_id` is its partition key as it came: anybody may write to a stream.

    `arrived_at` is in seconds since 1970; None for a record that comes from elsewhere, the archive say.
    """

    batch_id: str
    sequence_number: str
    data: bytes
    arrived_at: float | None = None


def record_of(delivered: KinesisEventRecord) -> Record:
    kinesis = delivered["kinesis"]
    return Record(
        batch_id=kinesis["partitionKey"],
        sequence_number=kinesis["sequenceNumber"],
        data=b64decode(kinesis["data"]),
        arrived_at=kinesis["approximateArrivalTimestamp"],
    )
