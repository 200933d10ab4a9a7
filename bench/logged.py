"""What a function prints, as CloudWatch bills it: bytes by the line, and metrics by name and dimensions.

A line of the embedded metric format sends each of its metrics once for each of its sets of dimensions; each of these
is a metric of its own to pay for.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

LINE_OVERHEAD_BYTES = 26
"""What CloudWatch Logs adds to each event."""

Metric: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...]]
"""Namespace, name, and the values of the dimensions."""


def line_bytes(line: str) -> int:
    return len(line.encode()) + LINE_OVERHEAD_BYTES


def metrics_in(line: str) -> Iterator[Metric]:
    """None where the line is not of the embedded metric format."""
    document: object = json.loads(line) if line.startswith("{") else None
    if isinstance(document, dict) and "_aws" in document:
        for directive in document["_aws"]["CloudWatchMetrics"]:
            yield from _of_directive(document, directive)


def _of_directive(document: Mapping[str, Any], directive: Mapping[str, Any]) -> Iterator[Metric]:
    for metric in directive["Metrics"]:
        for names in directive["Dimensions"]:
            yield directive["Namespace"], metric["Name"], tuple((name, str(document[name])) for name in names)
