"""Which call meets which fault: a function of the seed and of the call itself, and written down.

No single stream of random numbers runs through a seed. A fault is drawn from the seed, the call and how often that
call was made before, so one call more, or threads that finish in another order, change no other decision.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """What can happen to one call."""

    THROTTLED = "throttled"
    SERVER_ERROR = "5xx"
    LOST_REQUEST = "request lost"
    LOST_RESPONSE = "response lost"
    PARTIAL = "part of it left undone"
    SLOW = "slow"
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    TWICE = "delivered twice"
    EXPIRED = "iterator expired"


class Crash(BaseException):
    """The process is gone; what it has written stays. No `Exception`, so no code under test catches it."""


class TimeIsUp(BaseException):
    """Lambda ends an invocation that reaches its time limit. No `Exception`, for the same reason."""


class NeverEnds(Exception):
    """Something fails again and again, although most calls succeed."""


_ANY_CALL = {
    Fault.THROTTLED: 0.04,
    Fault.SERVER_ERROR: 0.04,
    Fault.LOST_REQUEST: 0.02,
    Fault.LOST_RESPONSE: 0.04,
    Fault.SLOW: 0.02,
}
_ANY_WRITE = {**_ANY_CALL, Fault.CRASH_BEFORE: 0.01, Fault.CRASH_AFTER: 0.02}
_HTTP = {Fault.THROTTLED: 0.05, Fault.SERVER_ERROR: 0.05, Fault.LOST_REQUEST: 0.04, Fault.LOST_RESPONSE: 0.06}
_RATES: Mapping[str, Mapping[Fault, float]] = {
    "kinesis.PutRecord": _ANY_WRITE,
    "s3.PutObject": _ANY_WRITE,
    "s3.DeleteObject": _ANY_WRITE,
    "dynamodb.DeleteItem": _ANY_WRITE,
    "dynamodb.BatchWriteItem": {**_ANY_WRITE, Fault.PARTIAL: 0.12},
    "dynamodb.BatchGetItem": {**_ANY_CALL, Fault.PARTIAL: 0.2},
    "kinesis.GetRecords": {**_ANY_CALL, Fault.EXPIRED: 0.03},
    "http.GET": _HTTP,
    "http.POST": _HTTP,
    "lake.commit": {Fault.CRASH_BEFORE: 0.1, Fault.CRASH_AFTER: 0.1, Fault.LOST_RESPONSE: 0.1},
    "checkpoint": {Fault.CRASH_BEFORE: 0.02, Fault.CRASH_AFTER: 0.02},
    "invocation": {Fault.TWICE: 0.06, Fault.CRASH_AFTER: 0.03},
}
"""How often each fault occurs at severity 1, by the place of the call."""

_SHARE_WITH_OUTAGE = 0.3
_SEVERITIES = (0.0, 0.3, 1.0, 1.0, 1.5, 2.0)


@dataclass(frozen=True, slots=True)
class FaultProfile:
    """`severity` multiplies every rate. `outage` holds the HTTP requests, counted from 0, that get no response.

    A long outage makes the client give up.
    """

    severity: float
    outage: range = range(0)

    def rates(self, place: str) -> Mapping[Fault, float]:
        return {fault: rate * self.severity for fault, rate in _RATES.get(place, _ANY_CALL).items()}


NO_FAULTS = FaultProfile(0.0)


def random_profile(chance: Random) -> FaultProfile:
    """From no faults at all to more than one failing write in two."""
    start = chance.randint(1, 20)
    outage = range(start, start + chance.randint(10, 60)) if chance.random() < _SHARE_WITH_OUTAGE else range(0)
    return FaultProfile(chance.choice(_SEVERITIES), outage)


@dataclass(frozen=True, slots=True)
class Decision:
    """The `nth` time of `call` at `place` met `fault`. `call` names no row: it is a key or a hash."""

    place: str
    call: str
    nth: int
    fault: Fault


class FaultPlan:
    """Draws faults by `profile` and keeps them in `decisions`, in the order in which they happened."""

    def __init__(self, seed: int, profile: FaultProfile = NO_FAULTS) -> None:
        self.profile = profile
        self.decisions: list[Decision] = []
        self._seed = seed
        self._times: Counter[tuple[str, str]] = Counter()

    def draw(self, place: str, call: str) -> tuple[Fault | None, Random]:
        """The fault of this call, or None, and the random numbers for the fault's details."""
        nth = self._times[place, call]
        self._times[place, call] += 1
        chance = self.chance(f"{place}/{call}/{nth}")
        fault = _pick(self.profile.rates(place), chance.random())
        if fault:
            self.decisions.append(Decision(place, call, nth, fault))
        return fault, chance

    @contextmanager
    def around(self, place: str, call: str) -> Iterator[Fault | None]:
        """The fault of what the block does. The process may crash before or after it."""
        fault, _ = self.draw(place, call)
        if fault is Fault.CRASH_BEFORE:
            raise Crash
        yield fault
        if fault is Fault.CRASH_AFTER:
            raise Crash

    def chance(self, name: str) -> Random:
        """Random numbers of this seed that belong to `name` alone."""
        return Random(f"{self._seed}/{name}")  # noqa: S311 - a seed must come back the same; nothing is secret


def _pick(rates: Mapping[Fault, float], number: float) -> Fault | None:
    for fault, rate in rates.items():
        if number < rate:
            return fault
        number -= rate
    return None
