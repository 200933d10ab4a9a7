"""One invocation: records become the function's event, and the function's response becomes an outcome."""

import base64
import json
import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from aws.lambda_events import KinesisEvent, KinesisEventRecord

_ROLE = "arn:aws:iam::000000000000:role/local-function"
_REGION_IN_ARN = 3

_log = logging.getLogger(__name__)

Function: TypeAlias = Callable[[KinesisEvent], object]


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """`arrived` is the approximate arrival in seconds since 1970; the sequence number is a decimal integer as text."""

    shard_id: str
    sequence_number: str
    partition_key: str
    data: bytes
    arrived: float


@dataclass(frozen=True, slots=True)
class Success:
    """Every record is done."""


@dataclass(frozen=True, slots=True)
class PartialFailure:
    """The records before `first_failed`, an index into the batch, are done; the others are delivered again."""

    first_failed: int


@dataclass(frozen=True, slots=True)
class Failure:
    """No record is done. `is_function_error` is False where the function returned, but its response is malformed."""

    is_function_error: bool


Outcome: TypeAlias = Success | PartialFailure | Failure


def invoke(
    function: Function, records: Sequence[StreamRecord], stream_arn: str, *, reports_item_failures: bool
) -> Outcome:
    """Call the function. An exception, or a response that is not JSON, is a function error: logged, never raised."""
    try:
        # Lambda's response is JSON: a tuple becomes a list, and a value that JSON cannot express is a function error.
        response = json.loads(json.dumps(function(kinesis_event(records, stream_arn))))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as on Lambda, no error of a function ends the poller
        _log_function_error(error)
        return Failure(is_function_error=True)
    return outcome_of(response, records, reports_item_failures=reports_item_failures)


def kinesis_event(records: Sequence[StreamRecord], stream_arn: str) -> KinesisEvent:
    """The event of one invocation, as Lambda sends it."""
    return {
        "Records": [_event_record(record, stream_arn, base64.b64encode(record.data).decode()) for record in records]
    }


def payload_bytes(record: StreamRecord, stream_arn: str) -> int:
    """What this record adds to an event's JSON, its separator included."""
    envelope = len(json.dumps(_event_record(record, stream_arn, "")))
    return envelope + (len(record.data) + 2) // 3 * 4 + len(", ")


def outcome_of(response: object, records: Sequence[StreamRecord], *, reports_item_failures: bool) -> Outcome:
    """What a response, as parsed JSON, says about its batch. Without ReportBatchItemFailures its content is ignored."""
    if not reports_item_failures or response is None:
        return Success()
    if not isinstance(response, dict):
        return Failure(is_function_error=False)
    failures = response.get("batchItemFailures")
    return Success() if failures is None else _outcome_of_failures(failures, records)


def _outcome_of_failures(failures: object, records: Sequence[StreamRecord]) -> Outcome:
    if not isinstance(failures, list):
        return Failure(is_function_error=False)
    if not failures:
        return Success()
    indexes = {record.sequence_number: index for index, record in enumerate(records)}
    reported = [indexes.get(_item_identifier(failure)) for failure in failures]
    known = [index for index in reported if index is not None]
    if len(known) < len(reported):
        return Failure(is_function_error=False)
    # Records are ordered by their sequence numbers as integers, so the lowest number has the lowest index.
    return PartialFailure(min(known))


def _item_identifier(failure: object) -> str:
    identifier = failure.get("itemIdentifier") if isinstance(failure, dict) else None
    return identifier if isinstance(identifier, str) else ""


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


def _log_function_error(error: BaseException) -> None:
    """Only the type and the place: the message may contain a row's values."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("function error %s\n%s", type(error).__name__, frames)
