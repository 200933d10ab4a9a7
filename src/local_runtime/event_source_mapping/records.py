"""A record as we read it, and as Lambda hands it to a function.

The wire's shape: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html#services-kinesis-event-example
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

_ROLE = "arn:aws:iam::000000000000:role/local-function"
_REGION_IN_ARN = 3


class KinesisPayload(TypedDict):
    kinesisSchemaVersion: str
    partitionKey: str
    sequenceNumber: str
    data: str
    approximateArrivalTimestamp: float


class KinesisEventRecord(TypedDict):
    kinesis: KinesisPayload
    eventSource: str
    eventVersion: str
    eventID: str
    eventName: str
    invokeIdentityArn: str
    awsRegion: str
    eventSourceARN: str


class KinesisEvent(TypedDict):
    Records: list[KinesisEventRecord]


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """`arrived` is the record's approximate arrival in seconds since 1970; the sequence number is a decimal's text."""

    shard_id: str
    sequence_number: str
    partition_key: str
    data: bytes
    arrived: float


def kinesis_event(records: Sequence[StreamRecord], stream_arn: str) -> KinesisEvent:
    """The event of one invocation."""
    return {
        "Records": [_event_record(record, stream_arn, base64.b64encode(record.data).decode()) for record in records]
    }


def payload_bytes(record: StreamRecord, stream_arn: str) -> int:
    """What this record adds to an event's JSON, its separator included."""
    envelope = len(json.dumps(_event_record(record, stream_arn, "")))
    return envelope + (len(record.data) + 2) // 3 * 4 + len(", ")


def _event_record(record: StreamRecord, stream_arn: str, data: str) -> KinesisEventRecord:
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record.partition_key,
            "sequenceNumber": record.sequence_number,
            "data": data,
            "approximateArrivalTimestamp": round(record.arrived, 3),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{record.shard_id}:{record.sequence_number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": _ROLE,
        "awsRegion": stream_arn.split(":")[_REGION_IN_ARN],
        "eventSourceARN": stream_arn,
    }
