"""Kinesis events as Lambda sends them."""

from base64 import b64encode
from collections.abc import Mapping, Sequence

from aws.lambda_events import KinesisEvent, KinesisEventRecord
from invoices.batch import pack
from tests.invoice_rows import ndjson

SHARD = "shardId-000000000000"
BATCH = "018bcfe5-6800-7000-8000-000000000000"
BATCH_FOLDER = "dt=2023-11-14/hour=22"


class Clock:
    """A Lambda context whose remaining time is what the test says, reading by reading; then it stays."""

    def __init__(self, *remaining_millis: int) -> None:
        self._remaining = list(remaining_millis)

    def get_remaining_time_in_millis(self) -> int:
        return self._remaining.pop(0) if len(self._remaining) > 1 else self._remaining[0]


PLENTY = Clock(60_000)


def delivered(data: bytes, batch_id: str = BATCH, sequence_number: int = 1) -> KinesisEventRecord:
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": batch_id,
            "sequenceNumber": str(sequence_number),
            "data": b64encode(data).decode(),
            "approximateArrivalTimestamp": 1700000000.0,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{SHARD}:{sequence_number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::000000000000:role/consumer",
        "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/rows",
    }


def event_of(*records: bytes) -> KinesisEvent:
    """Each record is a batch of its own, numbered from 1."""
    return {"Records": [delivered(data, f"batch-{n}", n) for n, data in enumerate(records, start=1)]}


def batch(rows: Sequence[Mapping[str, object]]) -> bytes:
    return pack(ndjson(rows))
