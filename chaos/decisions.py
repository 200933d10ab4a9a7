"""Which call meets which fault: a function of the seed and of the call itself, and written down.

No stream of random numbers runs through a seed: a fault is drawn from the seed, the call and how often that call was
made before. So threads that finish in another order, or one call more, change no other decision.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """What may happen to one call. Which of them can happen where, `chaos.weather` says."""

    THROTTLED = "throttled"
    SERVER_ERROR = "5xx"
    LOST_REQUEST = "request lost"
    LOST_ANSWER = "answer lost"
    PARTIAL = "left part of it undone"
    SLOW = "slow"
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    TWICE = "delivered twice"
    EXPIRED = "iterator expired"


@dataclass(frozen=True, slots=True)
class Decision:
    """The `nth` time of `call` at `place` met `fault`. `call` names no row: it is a key, or a hash."""

    place: str
    call: str
    nth: int
    fault: Fault


class Decisions:
    """Draws faults and remembers them in `made`, in the order in which they happened."""

    def __init__(self, seed: int) -> None:
        self.made: list[Decision] = []
        self._seed = seed
        self._times: Counter[tuple[str, str]] = Counter()

    def next(self, place: str, call: str, rates: Mapping[Fault, float]) -> tuple[Fault | None, Random]:
        """The fault for this call, or None; and the chance from which the fault's details are to be drawn."""
        nth = self._times[place, call]
        self._times[place, call] += 1
        chance = self.chance(f"{place}/{call}/{nth}")
        fault = _drawn(rates, chance.random())
        if fault:
            self.made.append(Decision(place, call, nth, fault))
        return fault, chance

    def chance(self, name: str) -> Random:
        """Random numbers of this seed that belong to `name` alone."""
        return Random(f"{self._seed}/{name}")  # noqa: S311 - faults have to come back, not to surprise

    def tally(self) -> Counter[str]:
        """How often each fault happened at each place."""
        return Counter(f"{decision.place}: {decision.fault}" for decision in self.made)


def _drawn(rates: Mapping[Fault, float], number: float) -> Fault | None:
    for fault, rate in rates.items():
        if number < rate:
            return fault
        number -= rate
    return None
