"""Metrics that are kept in a list."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aws.metrics import Measure


@dataclass
class RecordedMetrics:
    """What was put, batch by batch."""

    puts: list[tuple[str, list[Measure]]] = field(default_factory=list)

    def put(self, batch_id: str, measures: Sequence[Measure]) -> None:
        self.puts.append((batch_id, list(measures)))
