"""On-failure destinations for discarded batches.

https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypedDict

from local_runtime.event_source_mapping.delivery import Batch, Condition
from local_runtime.event_source_mapping.errors import translate_errors
from local_runtime.event_source_mapping.events import kinesis_event

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DiscardedBatch:
    """`discarded_at` is in seconds since 1970."""

    batch: Batch
    stream_arn: str
    discarded_at: float


class OnFailureDestination(Protocol):
    def put(self, discarded: DiscardedBatch) -> None:
        """Store the batch. Raises TransientError if that failed, and is then called again."""


class NoDestination:
    """The records are lost, as on AWS without a destination. A warning in the log says which."""

    def put(self, discarded: DiscardedBatch) -> None:
        records = discarded.batch.records
        _log.warning(
            "%d records of %s are lost, from %s to %s (%s), because no on-failure destination is set",
            len(records),
            records[0].shard_id,
            records[0].sequence_number,
            records[-1].sequence_number,
            discarded.batch.condition,
        )


class InMemoryDestination:
    """Keeps every batch in `discarded`."""

    def __init__(self) -> None:
        self.discarded: list[DiscardedBatch] = []

    def put(self, discarded: DiscardedBatch) -> None:
        self.discarded.append(discarded)


class S3Destination:
    """One object for each discarded batch, with the name and the content that Lambda gives it."""

    def __init__(
        self, s3: "S3Client", bucket: str, *, mapping_id: str, function_arn: str, new_id: Callable[[], str]
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._mapping_id = mapping_id
        self._function_arn = function_arn
        self._new_id = new_id

    def put(self, discarded: DiscardedBatch) -> None:
        record = invocation_record(discarded, request_id=self._new_id(), function_arn=self._function_arn)
        with translate_errors("S3"):
            self._s3.put_object(
                Bucket=self._bucket,
                Key=self._key(discarded),
                Body=json.dumps(record).encode(),
                ContentType="application/json",
            )

    def _key(self, discarded: DiscardedBatch) -> str:
        at = datetime.fromtimestamp(discarded.discarded_at, UTC)
        shard_id = discarded.batch.records[0].shard_id
        return f"aws/lambda/{self._mapping_id}/{shard_id}/{at:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{self._new_id()}"


class RequestContext(TypedDict):
    requestId: str
    functionArn: str
    condition: Condition | None
    approximateInvokeCount: int


class ResponseContext(TypedDict):
    statusCode: int
    executedVersion: str
    functionError: str | None


class KinesisBatchInfo(TypedDict):
    shardId: str
    startSequenceNumber: str
    endSequenceNumber: str
    approximateArrivalOfFirstRecord: str
    approximateArrivalOfLastRecord: str
    batchSize: int
    streamArn: str


class InvocationRecord(TypedDict):
    """`payload` is the whole event as JSON text, with each record's data in base64. Only S3 destinations get it."""

    requestContext: RequestContext
    responseContext: ResponseContext | None
    version: str
    timestamp: str
    KinesisBatchInfo: KinesisBatchInfo
    payload: str


def invocation_record(discarded: DiscardedBatch, *, request_id: str, function_arn: str) -> InvocationRecord:
    """The document that Lambda writes for a discarded batch."""
    batch = discarded.batch
    return {
        "requestContext": {
            "requestId": request_id,
            "functionArn": function_arn,
            "condition": batch.condition,
            "approximateInvokeCount": batch.invocations,
        },
        "responseContext": _response_context(batch),
        "version": "1.0",
        "timestamp": _iso(discarded.discarded_at),
        "KinesisBatchInfo": _batch_info(discarded),
        "payload": json.dumps(kinesis_event(batch.records, discarded.stream_arn)),
    }


def _response_context(batch: Batch) -> ResponseContext | None:
    if not batch.invocations:
        return None
    error = "Unhandled" if batch.had_function_error else None
    return {"statusCode": 200, "executedVersion": "$LATEST", "functionError": error}


def _batch_info(discarded: DiscardedBatch) -> KinesisBatchInfo:
    first, last = discarded.batch.records[0], discarded.batch.records[-1]
    return {
        "shardId": first.shard_id,
        "startSequenceNumber": first.sequence_number,
        "endSequenceNumber": last.sequence_number,
        "approximateArrivalOfFirstRecord": _iso(first.arrived),
        "approximateArrivalOfLastRecord": _iso(last.arrived),
        "batchSize": len(discarded.batch.records),
        "streamArn": discarded.stream_arn,
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
