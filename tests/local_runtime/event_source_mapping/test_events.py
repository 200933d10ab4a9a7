"""One invocation: the event has the form that Lambda gives it, and the response means what it means to Lambda."""

import json

import pytest

from local_runtime.event_source_mapping.events import (
    Failure,
    Outcome,
    PartialFailure,
    StreamRecord,
    Success,
    kinesis_event,
    outcome_of,
    payload_bytes,
)

ARN = "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream"
SHARD = "shardId-000000000006"
BATCH = [StreamRecord("shardId-0", number, "key", b"", 0.0) for number in ("9", "10", "11")]


def read(response: object, *, reports: bool = True) -> Outcome:
    return outcome_of(response, BATCH, reports_item_failures=reports)


def failing(*identifiers: object) -> dict[str, object]:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


def test_an_event_has_the_form_that_aws_documents() -> None:
    """It has every field of AWS's example: the data in base64, the arrival in seconds with milliseconds."""
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
    """A second record makes the event's JSON longer by exactly so many bytes."""
    record = StreamRecord(SHARD, "4959", "schlüssel", b"x" * size, 1545084650.987)
    one, two = (len(json.dumps(kinesis_event([record] * count, ARN))) for count in (1, 2))

    assert payload_bytes(record, ARN) == two - one


@pytest.mark.parametrize("response", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_an_empty_or_null_response_or_list_is_a_complete_success(response: object) -> None:
    """AWS names these four forms."""
    assert read(response) == Success()


@pytest.mark.parametrize("identifier", ["", None, 9, "12", "9 "])
def test_an_empty_null_or_unknown_item_identifier_is_a_complete_failure(identifier: object) -> None:
    """It names no record of the batch."""
    assert read(failing(identifier)) == Failure(is_function_error=False)


def test_one_unknown_item_identifier_beside_a_known_one_is_a_complete_failure() -> None:
    """The whole response is taken as invalid."""
    assert read(failing("10", "12")) == Failure(is_function_error=False)


def test_an_item_identifier_with_a_bad_key_name_is_a_complete_failure() -> None:
    """`itemidentifier` is not the documented key."""
    assert read({"batchItemFailures": [{"itemidentifier": "10"}]}) == Failure(is_function_error=False)


@pytest.mark.parametrize(
    "response", ["", "done", 7, True, [], ["10"], {"batchItemFailures": "10"}, {"batchItemFailures": {}}]
)
def test_a_malformed_response_is_a_complete_failure(response: object) -> None:
    """It is not an object, or `batchItemFailures` is not a list."""
    assert read(response) == Failure(is_function_error=False)


def test_the_lowest_sequence_number_is_the_checkpoint() -> None:
    """Compared as integers: 9 is lower than 10, although "10" sorts before "9"."""
    assert read(failing("10", "9")) == PartialFailure(0)
    assert read(failing("11", "10")) == PartialFailure(1)


def test_without_report_batch_item_failures_the_response_is_ignored() -> None:
    """Every record is reported as failed, and all count as done. On AWS, too, they are lost."""
    assert read(failing("9", "10", "11"), reports=False) == Success()
