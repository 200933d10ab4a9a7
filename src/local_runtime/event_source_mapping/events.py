"""One invocation: everything a function may do becomes an outcome."""

import base64
import json
import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from aws.lambda_events import KinesisEvent, KinesisEventRecord

# A record as we read it, and as Lambda hands it to a function.

_ROLE = "arn:aws:iam::000000000000:role/local-function"
_REGION_IN_ARN = 3


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


# What a function's answer says about its batch.


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Every record is done."""


@dataclass(frozen=True, slots=True)
class PartlyFailed:
    """Everything before `first_failed`, an index into the batch, is done; everything from it on comes again."""

    first_failed: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing is done. `function_error` is False where the function returned, but with an answer that is none."""

    function_error: bool


Outcome: TypeAlias = Succeeded | PartlyFailed | Failed

_MALFORMED = Failed(function_error=False)


def outcome_of(response: object, records: Sequence[StreamRecord], *, reports_item_failures: bool) -> Outcome:
    """`response` is JSON that was parsed. Without ReportBatchItemFailures its content does not count."""
    if not reports_item_failures or response is None:
        return Succeeded()
    if not isinstance(response, dict):
        return _MALFORMED
    failures = response.get("batchItemFailures")
    if failures is None:
        return Succeeded()
    return _outcome_of_failures(failures, records)


def _outcome_of_failures(failures: object, records: Sequence[StreamRecord]) -> Outcome:
    if not isinstance(failures, list):
        return _MALFORMED
    if not failures:
        return Succeeded()
    places = {record.sequence_number: place for place, record in enumerate(records)}
    reported = [places.get(_item_identifier(failure)) for failure in failures]
    known = [place for place in reported if place is not None]
    if len(known) < len(reported):
        return _MALFORMED
    # Records stand in the order of their sequence numbers as integers, so the lowest number has the lowest place.
    return PartlyFailed(min(known))


def _item_identifier(failure: object) -> str:
    identifier = failure.get("itemIdentifier") if isinstance(failure, dict) else None
    return identifier if isinstance(identifier, str) else ""


Function: TypeAlias = Callable[[KinesisEvent], object]

_log = logging.getLogger(__name__)


def invoke(
    function: Function, records: Sequence[StreamRecord], stream_arn: str, *, reports_item_failures: bool
) -> Outcome:
    """Whatever the function raises, or an answer that is no JSON, is a function error: it is logged, never raised."""
    try:
        # Lambda answers with JSON: a tuple arrives as a list, and what JSON cannot say is a function error.
        response = json.loads(json.dumps(function(kinesis_event(records, stream_arn))))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - on Lambda, too, no error of a function ends the poller
        _log_function_error(error)
        return Failed(function_error=True)
    return outcome_of(response, records, reports_item_failures=reports_item_failures)


def _log_function_error(error: BaseException) -> None:
    """Type and place only: the message may carry a row's values."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("function error %s\n%s", type(error).__name__, frames)
