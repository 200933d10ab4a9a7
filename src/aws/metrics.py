"""Metrics as log lines in CloudWatch's embedded metric format (EMF).

CloudWatch reads metrics out of such lines, so no call is made, and each line names its batch.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Literal, NamedTuple, Protocol

_REASON = "Reason"


class Metric(NamedTuple):
    """One number. `reason` becomes a dimension, so it is one of a few words of ours and never a caller's text."""

    name: str
    value: float
    unit: Literal["Count", "Milliseconds"] = "Count"
    reason: str | None = None


class MetricsLog(Protocol):
    """Takes the metrics of one batch."""

    def put(self, batch_id: str, metrics: Sequence[Metric]) -> None: ...


def stdout_log(namespace: str) -> "EmfLog":
    """Write to standard output, which Lambda copies to CloudWatch Logs."""
    # sys.stdout is read for each line: the local runtime replaces it.
    return EmfLog(namespace, lambda line: sys.stdout.write(line) and sys.stdout.flush(), time.time)


class EmfLog:
    """Passes each line, with its line break, to `write`. `now` returns seconds since 1970."""

    def __init__(self, namespace: str, write: Callable[[str], object], now: Callable[[], float]) -> None:
        self._namespace = namespace
        self._write = write
        self._now = now

    def put(self, batch_id: str, metrics: Sequence[Metric]) -> None:
        """Write one line for the metrics without a reason, and one for each reason.

        A line holds one value of a dimension, so two reasons need two lines.
        """
        millis = int(self._now() * 1000)
        for reason, group in groupby(sorted(metrics, key=_reason), _reason):
            self._write(json.dumps(self._line(millis, batch_id, reason, list(group))) + "\n")

    def _line(self, millis: int, batch_id: str, reason: str, metrics: Sequence[Metric]) -> dict[str, object]:
        directive = {
            "Namespace": self._namespace,
            "Dimensions": [[], [_REASON]] if reason else [[]],  # the empty one counts a reason in the total as well
            "Metrics": [{"Name": metric.name, "Unit": metric.unit} for metric in metrics],
        }
        return {
            "_aws": {"Timestamp": millis, "CloudWatchMetrics": [directive]},
            "level": "INFO",
            "batch_id": batch_id,
            **({_REASON: reason} if reason else {}),
            **{metric.name: metric.value for metric in metrics},
        }


def _reason(metric: Metric) -> str:
    return metric.reason or ""
