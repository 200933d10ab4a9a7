"""Log lines that CloudWatch reads metrics from."""

import json
from typing import Any

from aws.metrics import EmfLog, Metric


def lines_of(*metrics: Metric) -> list[dict[str, Any]]:
    written: list[str] = []
    EmfLog("stack", written.append, lambda: 1700000000.5).put("batch-1", metrics)
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in written)
    return [json.loads(line) for line in written]


def test_metrics_without_a_reason_share_a_line() -> None:
    """The line has the form that the specification asks for, and the batch id."""
    metrics = [{"Name": "RowsIndexed", "Unit": "Count"}, {"Name": "AgeWhenQueryable", "Unit": "Milliseconds"}]
    directive = {"Namespace": "stack", "Dimensions": [[]], "Metrics": metrics}
    assert lines_of(Metric("RowsIndexed", 500), Metric("AgeWhenQueryable", 1234, "Milliseconds")) == [
        {
            "_aws": {"Timestamp": 1700000000500, "CloudWatchMetrics": [directive]},
            "level": "INFO",
            "batch_id": "batch-1",
            "RowsIndexed": 500,
            "AgeWhenQueryable": 1234,
        }
    ]


def test_each_reason_has_a_line_and_counts_in_the_total_too() -> None:
    """A line can hold only one value of a dimension."""
    rejected = [Metric("RowsRejected", 2, reason="Quantity"), Metric("RowsRejected", 1, reason="row")]
    accepted, *lines = lines_of(*rejected, Metric("RowsAccepted", 9))
    assert "Reason" not in accepted
    assert [(line["Reason"], line["RowsRejected"]) for line in lines] == [("Quantity", 2), ("row", 1)]
    assert lines[1]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[], ["Reason"]]


def test_no_metrics_write_no_line() -> None:
    """CloudWatch reports a line without metrics as an error."""
    assert lines_of() == []
