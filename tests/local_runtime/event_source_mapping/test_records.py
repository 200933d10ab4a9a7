"""The event, exactly as Lambda sends it."""

import json

import pytest

from local_runtime.event_source_mapping.events import StreamRecord, kinesis_event, payload_bytes

ARN = "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream"
SHARD = "shardId-000000000006"


def test_an_event_has_the_wires_shape() -> None:
    """Every field of AWS's example event, data as base64, arrival in seconds with milliseconds."""
    record = StreamRecord(SHARD, "4959", "1", b"Hello, this is a test.", 1545084650.98712)

    assert kinesis_event([record], ARN) == {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "1",
                    "sequenceNumber": "4959",
                    "data": "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==",
                    "approximateArrivalTimestamp": 1545084650.987,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": "shardId-000000000006:4959",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::000000000000:role/local-function",
                "awsRegion": "us-east-2",
                "eventSourceARN": ARN,
            }
        ]
    }


@pytest.mark.parametrize("size", [0, 1, 2, 3, 1000])
def test_payload_bytes_are_those_of_the_events_json(size: int) -> None:
    """Two records weigh what they add to an event, separator included."""
    record = StreamRecord(SHARD, "4959", "schlüssel", b"x" * size, 1545084650.987)
    one, two = (len(json.dumps(kinesis_event([record] * count, ARN))) for count in (1, 2))

    assert payload_bytes(record, ARN) == two - one
