"""Sides measured in turns, so that what the machine does meanwhile falls on all of them."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Side = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as fast one side was as another: the median over rounds, with the quartiles."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


@dataclass(slots=True)
class Rounds:
    """CPU seconds of each side, round by round."""

    units: int
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def faster(self, side: str, than: str) -> Ratio:
        """Time of `than` by time of `side`, each in the same round."""
        ratios = [slow / fast for fast, slow in zip(self.seconds[side], self.seconds[than], strict=True)]
        low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return Ratio(median, low, high)

    def microseconds(self, side: str) -> float:
        """Per unit, the median of the rounds."""
        return statistics.median(self.seconds[side]) / self.units * 1e6


def duel(
    sides: Mapping[str, Side], units: int, rounds: int = 7, clock: Clock = time.process_time, turn_seconds: float = 0
) -> Rounds:
    """Each round gives every side a turn, from the front and from the back; a first run is not counted.

    `units` is what a run is divided by, such as its rows. A side is run again until its turn is `turn_seconds` long, by
    the time of its first run: a short run would be measured with the caches as a long one before it has left them.
    """
    result = Rounds(units, {name: [] for name in sides})
    repeats = {name: max(1, round(turn_seconds / (_timed(side, clock) or 1))) for name, side in sides.items()}
    gc.collect()
    gc.freeze()  # as our Lambda entries do; here every side has the good of it
    for number in range(rounds):
        order = list(sides.items())
        for name, side in order if number % 2 == 0 else reversed(order):
            result.seconds[name].append(_timed(side, clock, repeats[name]))
    return result


def _timed(side: Side, clock: Clock, repeats: int = 1) -> float:
    """Of one run."""
    started = clock()
    for _ in range(repeats):
        side()
    return (clock() - started) / repeats
