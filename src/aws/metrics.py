"""Metrics as lines of the log in CloudWatch's embedded metric format: no call, and each line names its batch.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Literal, NamedTuple, Protocol

# What is counted, and where it goes.


class Measure(NamedTuple):
    """`reason` is a dimension: one of a handful of words of ours, never a caller's."""

    name: str
    value: float
    unit: Literal["Count", "Milliseconds"] = "Count"
    reason: str | None = None


class Metrics(Protocol):
    """Takes what was counted of one batch."""

    def put(self, batch_id: str, measures: Sequence[Measure]) -> None: ...


_REASON = "Reason"


class EmfLog:
    """`write` gets each line with its end; `now` tells the time in seconds since 1970."""

    def __init__(self, namespace: str, write: Callable[[str], object], now: Callable[[], float]) -> None:
        self._namespace = namespace
        self._write = write
        self._now = now

    def put(self, batch_id: str, measures: Sequence[Measure]) -> None:
        """One line for all that have no reason, and one for each reason: a line has one value for a dimension."""
        millis = int(self._now() * 1000)
        ordered = sorted(measures, key=_reason)
        for reason, alike in groupby(ordered, _reason):
            self._write(json.dumps(_line(self._namespace, millis, batch_id, reason, list(alike))) + "\n")


def standard_output(namespace: str) -> EmfLog:
    """Where Lambda takes its log from; looked up at each line, because the laptop turns it elsewhere."""
    return EmfLog(namespace, lambda line: sys.stdout.write(line) and sys.stdout.flush(), time.time)


def _reason(measure: Measure) -> str:
    return measure.reason or ""


def _line(namespace: str, millis: int, batch_id: str, reason: str, measures: Sequence[Measure]) -> dict[str, object]:
    directive = {
        "Namespace": namespace,
        "Dimensions": [[], [_REASON]] if reason else [[]],  # with a reason it counts in the total as well
        "Metrics": [{"Name": measure.name, "Unit": measure.unit} for measure in measures],
    }
    return {
        "_aws": {"Timestamp": millis, "CloudWatchMetrics": [directive]},
        "level": "INFO",
        "batch_id": batch_id,
        **({_REASON: reason} if reason else {}),
        **{measure.name: measure.value for measure in measures},
    }
