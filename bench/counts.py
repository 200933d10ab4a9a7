"""What the rows of a run used, counted where it leaves the program: calls, bytes, write units, log lines, metrics."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_KIB = 1024
PAYLOAD_UNIT_BYTES = 25 * _KIB
_GATEWAY_UNIT_BYTES = 512 * _KIB
_LEAST_MOVABLE_BYTES = 128 * _KIB  # S3 Lifecycle leaves smaller objects where they are
_LOG_EVENT_BYTES = 26  # what CloudWatch Logs adds to each event
_CONTAINER_BYTES = 3

Metric: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...]]
"""Namespace, name, and the values of the dimensions."""


@dataclass(slots=True)
class Counts:
    """Everything that has a price. `calls` counts calls to AWS by operation; seconds are CPU time of this machine."""

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

    def per_million(self, count: float) -> float:
        return count * 1e6 / self.rows

    def add_request(self, size: int) -> None:
        self.requests += 1
        self.gateway_units += max(1, -(-size // _GATEWAY_UNIT_BYTES))

    def add_answer(self, answer: Mapping[str, Any]) -> None:
        """Body and headers, without those that the gateway adds."""
        headers = answer.get("headers", {}).items()
        self.answer_bytes += len(answer["body"]) + sum(len(f"{name}: {value}\r\n") for name, value in headers)

    def add_log(self, text: str) -> None:
        """What an invocation printed, as CloudWatch bills it: bytes by the line, and metrics."""
        for line in text.splitlines():
            self.log_bytes += len(line.encode()) + _LOG_EVENT_BYTES
            self.metrics.update(_metrics_in(line))

    def add_object(self, size: int) -> None:
        self.object_bytes += size
        self.movable_objects += size >= _LEAST_MOVABLE_BYTES

    def add_record(self, size: int) -> None:
        """`size` is that of data and partition key."""
        self.records += 1
        self.stream_bytes += size
        self.stream_kib += -(-size // _KIB)
        self.payload_units += -(-size // PAYLOAD_UNIT_BYTES)

    def add_item(self, size: int) -> None:
        self.items += 1
        self.item_bytes += size
        self.write_units += write_units(size)


def item_bytes(item: "Mapping[str, AttributeValueTypeDef]") -> int:
    """AWS, "DynamoDB item sizes and formats": every attribute counts its name and its value."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: "AttributeValueTypeDef") -> int:
    """UTF-8 bytes of a text, a byte for two digits of a number, three bytes for a list or map and one an element."""
    if "S" in value:
        return len(value["S"].encode())
    if "N" in value:
        return _number_bytes(value["N"])
    if "L" in value:
        return _CONTAINER_BYTES + sum(1 + value_bytes(each) for each in value["L"])
    if "M" in value:
        return _CONTAINER_BYTES + sum(1 + len(name.encode()) + value_bytes(each) for name, each in value["M"].items())
    return 1


def write_units(size: int) -> int:
    """One for each KB begun: of a put item, or of an item before or after an update, whichever is larger."""
    return max(1, -(-size // _KIB))


def _number_bytes(text: str) -> int:
    """Zeros at both ends are not kept; a minus takes a byte of its own."""
    digits = len(Decimal(text).normalize().as_tuple().digits)
    return (digits + 1) // 2 + 1 + text.startswith("-")


def _metrics_in(line: str) -> Iterator[Metric]:
    """In the embedded metric format each metric is paid for once for each of its sets of dimensions."""
    document: object = json.loads(line) if line.startswith("{") else None
    if not isinstance(document, dict) or "_aws" not in document:
        return
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            for names in directive["Dimensions"]:
                yield directive["Namespace"], metric["Name"], tuple((name, str(document[name])) for name in names)
