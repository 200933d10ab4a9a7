"""A MetricsLog that keeps what it gets in a list."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aws.metrics import Metric


@dataclass
class RecordedMetrics:
    """`puts` holds each batch id with its metrics, in order. No metrics leave nothing, as in a log."""

    puts: list[tuple[str, list[Metric]]] = field(default_factory=list)

    def put(self, batch_id: str, metrics: Sequence[Metric]) -> None:
        if metrics:
            self.puts.append((batch_id, list(metrics)))
