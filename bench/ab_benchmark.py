"""Sides measured in turns, so that whatever else the machine does falls on all of them."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Side = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as fast one side was as another: the median of the rounds, with quartiles."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


@dataclass(slots=True)
class Rounds:
    """CPU seconds of each side, round by round; `units` is how many rows, or the like, one run of a side has."""

    units: int
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def speedup(self, side: str, over: str) -> Ratio:
        """Time of `over` divided by time of `side`, each in the same round."""
        ratios = [slow / fast for fast, slow in zip(self.seconds[side], self.seconds[over], strict=True)]
        low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return Ratio(median, low, high)

    def microseconds(self, side: str) -> float:
        """Per unit, the median of the rounds."""
        return statistics.median(self.seconds[side]) / self.units * 1e6


def compare(
    sides: Mapping[str, Side], units: int, rounds: int = 7, clock: Clock = time.process_time, turn_seconds: float = 0
) -> Rounds:
    """Each round gives every side a turn, in alternating order; a first run is not counted.

    In its turn a side runs until `turn_seconds` are over, by the time of its first run: a short turn would be measured
    with the caches as the longer turn before it left them.
    """
    result = Rounds(units, {name: [] for name in sides})
    repeats = {name: max(1, round(turn_seconds / (_time(side, clock) or 1))) for name, side in sides.items()}
    gc.collect()
    gc.freeze()  # as our Lambda entries do; here every side profits from it
    for number in range(rounds):
        order = list(sides.items())
        for name, side in order if number % 2 == 0 else reversed(order):
            result.seconds[name].append(_time(side, clock, repeats[name]))
    return result


def _time(side: Side, clock: Clock, repeats: int = 1) -> float:
    """Of one run."""
    started = clock()
    for _ in range(repeats):
        side()
    return (clock() - started) / repeats
