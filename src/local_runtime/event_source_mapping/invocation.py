"""One invocation: everything a function may do becomes an outcome."""

import json
import logging
import traceback
from collections.abc import Callable, Sequence
from typing import TypeAlias

from local_runtime.event_source_mapping.records import KinesisEvent, StreamRecord, kinesis_event
from local_runtime.event_source_mapping.response import Failed, Outcome, outcome_of

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
