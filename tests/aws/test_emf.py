"""Lines of the log that CloudWatch makes metrics of."""

import json
from typing import Any

from aws.metrics import EmfLog, Measure


def lines_of(*measures: Measure) -> list[dict[str, Any]]:
    written: list[str] = []
    EmfLog("stack", written.append, lambda: 1700000000.5).put("batch-1", measures)
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in written)
    return [json.loads(line) for line in written]


def test_measures_without_a_reason_share_a_line() -> None:
    """As the specification wants it, with the batch beside them."""
    metrics = [{"Name": "RowsIndexed", "Unit": "Count"}, {"Name": "AgeWhenQueryable", "Unit": "Milliseconds"}]
    directive = {"Namespace": "stack", "Dimensions": [[]], "Metrics": metrics}
    assert lines_of(Measure("RowsIndexed", 500), Measure("AgeWhenQueryable", 1234, "Milliseconds")) == [
        {
            "_aws": {"Timestamp": 1700000000500, "CloudWatchMetrics": [directive]},
            "level": "INFO",
            "batch_id": "batch-1",
            "RowsIndexed": 500,
            "AgeWhenQueryable": 1234,
        }
    ]


def test_each_reason_has_a_line_and_counts_in_the_total_too() -> None:
    """A line can hold one value of a dimension."""
    rejected = [Measure("RowsRejected", 2, reason="Quantity"), Measure("RowsRejected", 1, reason="row")]
    accepted, *lines = lines_of(*rejected, Measure("RowsAccepted", 9))
    assert "Reason" not in accepted
    assert [(line["Reason"], line["RowsRejected"]) for line in lines] == [("Quantity", 2), ("row", 1)]
    assert lines[1]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[], ["Reason"]]


def test_nothing_measured_writes_nothing() -> None:
    """An empty line would be a fault in CloudWatch's eyes."""
    assert lines_of() == []
