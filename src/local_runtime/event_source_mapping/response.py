"""What a function's answer says about its batch.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from local_runtime.event_source_mapping.records import StreamRecord


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
