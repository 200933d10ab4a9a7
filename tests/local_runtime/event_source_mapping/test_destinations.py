"""The document that an on-failure destination gets for a discarded batch."""

import base64
import json
from itertools import count
from typing import TYPE_CHECKING

import pytest

from local_runtime.event_source_mapping import S3Destination, StreamRecord, TransientError
from local_runtime.event_source_mapping.delivery import Batch
from local_runtime.event_source_mapping.destinations import DiscardedBatch, invocation_record
from tests.local_runtime.event_source_mapping.failing_calls import fail_calls

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/rows"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:to_s3"
AT = 1_573_691_886.021  # 2019-11-14T00:38:06.021Z
RECORDS = (
    StreamRecord("shardId-000000000001", "9", "a", b"\x00first", 1_573_691_880.5),
    StreamRecord("shardId-000000000001", "10", "b", b"last", 1_573_691_881.25),
)
EXHAUSTED = Batch(RECORDS, failures=3, invocations=3, had_function_error=True, condition="RetryAttemptsExhausted")
TOO_OLD = Batch(RECORDS, condition="RecordAgeExceeded")


@pytest.fixture
def destination(s3: "S3Client") -> S3Destination:
    ids = (f"id-{number}" for number in count(1))
    return S3Destination(s3, "raw-bucket", mapping_id="mapping", function_arn=FUNCTION, new_id=lambda: next(ids))


def test_an_invocation_record_says_what_failed_and_where() -> None:
    """It has the fields that AWS documents."""
    record = invocation_record(DiscardedBatch(EXHAUSTED, ARN, AT), request_id="request", function_arn=FUNCTION)

    assert {name: value for name, value in record.items() if name != "payload"} == {
        "requestContext": {
            "requestId": "request",
            "functionArn": FUNCTION,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2019-11-14T00:38:06.021Z",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000001",
            "startSequenceNumber": "9",
            "endSequenceNumber": "10",
            "approximateArrivalOfFirstRecord": "2019-11-14T00:38:00.500Z",
            "approximateArrivalOfLastRecord": "2019-11-14T00:38:01.250Z",
            "batchSize": 2,
            "streamArn": ARN,
        },
    }


def test_a_batch_that_was_never_delivered_has_no_response() -> None:
    """Its records were too old before the first invocation."""
    record = invocation_record(DiscardedBatch(TOO_OLD, ARN, AT), request_id="request", function_arn=FUNCTION)

    assert record["responseContext"] is None
    assert record["requestContext"]["approximateInvokeCount"] == 0


def test_the_payload_is_the_whole_event() -> None:
    """Every byte of the records can be restored from it."""
    record = invocation_record(DiscardedBatch(EXHAUSTED, ARN, AT), request_id="request", function_arn=FUNCTION)
    event = json.loads(record["payload"])

    assert [base64.b64decode(entry["kinesis"]["data"]) for entry in event["Records"]] == [b"\x00first", b"last"]


def test_an_object_is_named_as_lambda_names_it(destination: S3Destination, s3: "S3Client") -> None:
    """The name has mapping, shard, day, time and a random id. The object is the invocation record as JSON."""
    destination.put(DiscardedBatch(EXHAUSTED, ARN, AT))
    key = "aws/lambda/mapping/shardId-000000000001/2019/11/14/2019-11-14T00.38.06-id-2"

    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="raw-bucket")["Contents"]] == [key]
    body = s3.get_object(Bucket="raw-bucket", Key=key)["Body"].read()
    expected = invocation_record(DiscardedBatch(EXHAUSTED, ARN, AT), request_id="id-1", function_arn=FUNCTION)
    assert json.loads(body) == expected


def test_an_error_of_the_bucket_is_transient(destination: S3Destination, s3: "S3Client") -> None:
    """The mapping then retries and keeps its checkpoint."""
    fail_calls(s3, "PutObject", code="InternalError", status=500)

    with pytest.raises(TransientError):
        destination.put(DiscardedBatch(EXHAUSTED, ARN, AT))
