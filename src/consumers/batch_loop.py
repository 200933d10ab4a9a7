"""The loop that both consumers share: what may pass is tried again, what never will is set aside, and nothing waits.

A record that is Rejected goes to `failed/` and the loop goes on. At the first Retryable it stops and reports that
record: Lambda delivers from there again. So it does when the invocation's time runs out, because Lambda would count
the whole batch as failed. Any other exception is a bug and leaves the loop as it is.
"""

import logging
from collections.abc import Callable
from typing import TypeAlias

from aws.lambda_events import BatchResponse, KinesisEvent, LambdaContext
from consumers.dead_letters import DeadLetter
from consumers.records import Record, record_of
from invoices.batch import parse_batch_id
from invoices.errors import InvalidRows, Rejected, Retryable

Process: TypeAlias = Callable[[Record], DeadLetter | None]
"""Do a record's work, all of it or none that a second time would double. Answers with rows of it to set aside."""

Keep: TypeAlias = Callable[[Record, DeadLetter], None]
"""Put what was set aside where a person finds it. Raises Retryable if it cannot."""

RESERVED_MILLIS = 10_000
"""No record is begun with less time left: the longest, 10,000 rows of as many invoices, is 800 calls to DynamoDB."""

_logger = logging.getLogger(__name__)


def consume(event: KinesisEvent, process: Process, keep: Keep, context: LambdaContext) -> BatchResponse:
    """Work through an event's records in order; the answer is Lambda's partial batch response.

    The first record is always tried, however little time is left: or a batch could come back for ever.
    """
    for position, delivered in enumerate(event["Records"]):
        record = record_of(delivered)
        if position and context.get_remaining_time_in_millis() < RESERVED_MILLIS:
            _logger.warning("Out of time, to be delivered again", extra=_named(record))
            return _from(record)
        try:
            _consume_record(record, process, keep)
        except Retryable as error:
            _logger.warning("Stopped, to be delivered again: %s", error, extra=_named(record))
            return _from(record)
    return {"batchItemFailures": []}


def _from(record: Record) -> BatchResponse:
    return {"batchItemFailures": [{"itemIdentifier": record.sequence_number}]}


def _consume_record(record: Record, process: Process, keep: Keep) -> None:
    if set_aside := _outcome(record, process):
        keep(record, set_aside)
        _logger.error("Set aside: %s", set_aside.reason, extra=_named(record))


def _outcome(record: Record, process: Process) -> DeadLetter | None:
    try:
        parse_batch_id(record.batch_id)
        return process(record)
    except InvalidRows as error:
        return DeadLetter(record.data, str(error), error.errors)
    except Rejected as error:
        return DeadLetter(record.data, str(error))


def _named(record: Record) -> dict[str, str]:
    return {"batch_id": record.batch_id, "sequence_number": record.sequence_number}
