"""What a run of some rows used, counted where it leaves the program."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.logged import Metric, line_bytes, metrics_in

KIB = 1024
PAYLOAD_UNIT_BYTES = 25 * KIB
GATEWAY_UNIT_BYTES = 512 * KIB
_LEAST_MOVABLE_BYTES = 128 * KIB  # S3 Lifecycle leaves smaller objects where they are


@dataclass(slots=True)
class Counts:
    """Everything that a price hangs on. `calls` counts calls to AWS by operation; seconds are CPU of this machine."""

    rows: int = 0
    requests: int = 0
    gateway_units: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    records: int = 0
    stream_bytes: int = 0
    stream_kib: int = 0
    payload_units: int = 0
    object_bytes: int = 0
    movable_objects: int = 0
    write_units: int = 0
    items: int = 0
    item_bytes: int = 0
    answer_bytes: int = 0
    log_bytes: int = 0
    metrics: set[Metric] = field(default_factory=set)
    invocations: Counter[str] = field(default_factory=Counter)
    calls_by_function: dict[str, Counter[str]] = field(default_factory=dict)
    cpu_seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def all_calls(self) -> int:
        return self.calls.total()

    def request(self, size: int) -> None:
        self.requests += 1
        self.gateway_units += max(1, -(-size // GATEWAY_UNIT_BYTES))

    def answer(self, answer: Mapping[str, Any]) -> None:
        """Body and headers, without those that the gateway adds."""
        headers = answer.get("headers", {}).items()
        self.answer_bytes += len(answer["body"]) + sum(len(f"{name}: {value}\r\n") for name, value in headers)

    def printed(self, text: str) -> None:
        """What an invocation wrote into its log."""
        for line in text.splitlines():
            self.log_bytes += line_bytes(line)
            self.metrics.update(metrics_in(line))

    def put_object(self, size: int) -> None:
        self.object_bytes += size
        self.movable_objects += size >= _LEAST_MOVABLE_BYTES

    def record(self, size: int) -> None:
        """`size` is that of data and partition key."""
        self.records += 1
        self.stream_bytes += size
        self.stream_kib += -(-size // KIB)
        self.payload_units += -(-size // PAYLOAD_UNIT_BYTES)

    def put_item(self, size: int, units: int) -> None:
        self.items += 1
        self.item_bytes += size
        self.write_units += units

    def per_million(self, count: float) -> float:
        return count * 1e6 / self.rows
