"""What is counted, and where it goes."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol


class Measure(NamedTuple):
    """`reason` is a dimension: one of a handful of words of ours, never a caller's."""

    name: str
    value: float
    unit: Literal["Count", "Milliseconds"] = "Count"
    reason: str | None = None


class Metrics(Protocol):
    """Takes what was counted of one batch."""

    def put(self, batch_id: str, measures: Sequence[Measure]) -> None: ...
