"""The loop of both consumers: retry transient errors, dead-letter permanent ones, never block the shard."""

import logging
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from aws.bucket import DeadLetter
from aws.erasures import ErasureList
from aws.lambda_events import BatchResponse, KinesisEvent, KinesisEventRecord, LambdaContext
from aws.metrics import Metric, MetricsLog
from invoices.batch import batch_id_or, parse_batch_id
from invoices.errors import Rejected, Retryable

if TYPE_CHECKING:
    from aws.receipts import Receipt

RESERVED_MILLIS = 10_000
"""The loop starts no record with less time left. The longest record, 10,000 rows of as many invoices, needs 800 calls
to DynamoDB."""

_NOT_LOGGED = "invalid"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the stream. `batch_id` is its partition key, not validated: anybody may write to the stream.

    `arrived_at` is in seconds since 1970: when it reached the stream, or for an object of the archive, when that was
    written. None where nobody knows. `original` is the data as it arrived, where rows of erased customers were dropped.
    """

    batch_id: str
    sequence_number: str
    data: bytes
    arrived_at: float | None = None
    original: bytes | None = None


class Outcome(NamedTuple):
    """What became of a record: metrics of what is stored, a dead letter for the rest, and a receipt for both."""

    metrics: Sequence[Metric]
    dead_letter: DeadLetter | None = None
    receipt: "Receipt | None" = None


Process: TypeAlias = Callable[[Record], Outcome]
"""Stores a record; storing it again must change nothing. Raises Rejected if no part of it can ever be stored."""

PutDeadLetter: TypeAlias = Callable[[str, str, DeadLetter], None]
"""Takes batch id, sequence number and the dead letter. Raises Retryable if it cannot keep it now."""

PutReceipt: TypeAlias = "Callable[[Receipt], None]"
"""Keeps the first receipt of a record. Raises Retryable if it cannot keep it now."""


def keep_no_receipt(receipt: "Receipt") -> None:
    """For a stage that gives none."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a consumer does with each record: the three steps, in this order.

    Before the first step it drops the rows of erased customers, whom `erasures` names; None where nobody is erased.
    """

    process: Process
    put_dead_letter: PutDeadLetter
    put_receipt: PutReceipt = keep_no_receipt
    erasures: ErasureList | None = None


def consume(event: KinesisEvent, context: LambdaContext, stage: Stage, metrics_log: MetricsLog) -> BatchResponse:
    """Process the event's records in order and return Lambda's partial batch response.

    The loop stops at the first Retryable error and reports that record: Lambda redelivers from there. It also stops
    when less than 10 s remain, because a timeout would fail the whole batch. It always tries the first record, or a
    batch could be redelivered for ever. An error that is neither Rejected nor Retryable is a bug; the loop raises it.
    """
    for position, delivered in enumerate(event["Records"]):
        record = _record_of(delivered)
        if position and context.get_remaining_time_in_millis() < RESERVED_MILLIS:
            _logger.warning("Out of time: Lambda redelivers from this record", extra=_log_fields(record))
            return _redeliver_from(record)
        try:
            record, erased = without_erased(record, stage.erasures)
            _consume_record(record, stage, metrics_log)
            _count_erased(record, erased, metrics_log)
        except Retryable as error:
            _logger.warning("Stopped: Lambda redelivers from this record: %s", error, extra=_log_fields(record))
            return _redeliver_from(record)
    return {"batchItemFailures": []}


def without_erased(record: Record, erasures: ErasureList | None) -> tuple[Record, int]:
    """The record without rows of customers who were erased after it arrived, and how many rows that are.

    Every stage calls it before it stores a record, wherever the record comes from. Raises Retryable.
    """
    customers = erasures.current().covering(record.arrived_at) if erasures else None
    if customers is None:
        return record, 0
    from invoices.erasure import erase_rows  # noqa: PLC0415 - to_s3 parses rows here only, and starts without pydantic

    data, erased = erase_rows(record.data, record.batch_id, customers)
    return replace(record, data=data, original=record.data if erased else None), erased


def _count_erased(record: Record, erased: int, metrics_log: MetricsLog) -> None:
    if erased:
        metrics_log.put(batch_id_or(record.batch_id, _NOT_LOGGED), [Metric("RowsErased", erased)])


def _record_of(delivered: KinesisEventRecord) -> Record:
    kinesis = delivered["kinesis"]
    return Record(
        batch_id=kinesis["partitionKey"],
        sequence_number=kinesis["sequenceNumber"],
        data=b64decode(kinesis["data"]),
        arrived_at=kinesis["approximateArrivalTimestamp"],
    )


def _redeliver_from(record: Record) -> BatchResponse:
    return {"batchItemFailures": [{"itemIdentifier": record.sequence_number}]}


def _consume_record(record: Record, stage: Stage, metrics_log: MetricsLog) -> None:
    outcome = _outcome(record, stage.process)
    if outcome.dead_letter:
        stage.put_dead_letter(record.batch_id, record.sequence_number, outcome.dead_letter)
    if outcome.receipt:
        stage.put_receipt(outcome.receipt)
    batch_id = batch_id_or(record.batch_id, _NOT_LOGGED)
    metrics_log.put(batch_id, outcome.metrics)
    if dead_letter := outcome.dead_letter:
        metrics_log.put(batch_id, [Metric("RecordsSetAside", 1)])
        _logger.error("Dead letter: %s", dead_letter.reason, extra=_log_fields(record))


def _outcome(record: Record, process: Process) -> Outcome:
    try:
        parse_batch_id(record.batch_id)
        return process(record)
    except Rejected as error:
        return Outcome([], DeadLetter(record.data, str(error)))


def _log_fields(record: Record) -> dict[str, str]:
    """A partition key that is no batch id may be anything that a producer chose, so it is not logged."""
    return {"batch_id": batch_id_or(record.batch_id, _NOT_LOGGED), "sequence_number": record.sequence_number}
