"""How bad one seed's world is: from calm to more than one write in two failing."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from chaos.decisions import Fault

_SHARE_WITH_OUTAGE = 0.3
_SEVERITIES = (0.0, 0.3, 1.0, 1.0, 1.5, 2.0)

_ANY_CALL = {
    Fault.THROTTLED: 0.04,
    Fault.SERVER_ERROR: 0.04,
    Fault.LOST_REQUEST: 0.02,
    Fault.LOST_ANSWER: 0.04,
    Fault.SLOW: 0.02,
}
_ANY_WRITE = {**_ANY_CALL, Fault.CRASH_BEFORE: 0.01, Fault.CRASH_AFTER: 0.02}
_OPERATIONS: Mapping[str, Mapping[Fault, float]] = {
    "PutRecord": _ANY_WRITE,
    "PutObject": _ANY_WRITE,
    "BatchWriteItem": {**_ANY_WRITE, Fault.PARTIAL: 0.12},
    "BatchGetItem": {**_ANY_CALL, Fault.PARTIAL: 0.2},
    "GetRecords": {**_ANY_CALL, Fault.EXPIRED: 0.03},
}
_HTTP = {
    Fault.THROTTLED: 0.05,
    Fault.SERVER_ERROR: 0.05,
    Fault.LOST_REQUEST: 0.04,
    Fault.LOST_ANSWER: 0.06,
}
_CHECKPOINT = {Fault.CRASH_BEFORE: 0.02, Fault.CRASH_AFTER: 0.02}
_INVOCATION = {Fault.TWICE: 0.06, Fault.CRASH_AFTER: 0.03}


@dataclass(frozen=True, slots=True)
class Weather:
    """`severity` multiplies every rate; 0 is a calm day, which has to come out right as well.

    `outage` are the HTTP requests, counted from 0, that nobody answers: long enough, and the client gives up.
    """

    severity: float
    outage: range = range(0)

    @property
    def http(self) -> Mapping[Fault, float]:
        return self._scaled(_HTTP)

    @property
    def checkpoint(self) -> Mapping[Fault, float]:
        return self._scaled(_CHECKPOINT)

    @property
    def invocation(self) -> Mapping[Fault, float]:
        return self._scaled(_INVOCATION)

    def aws(self, operation: str) -> Mapping[Fault, float]:
        return self._scaled(_OPERATIONS.get(operation, _ANY_CALL))

    def _scaled(self, rates: Mapping[Fault, float]) -> Mapping[Fault, float]:
        return {fault: rate * self.severity for fault, rate in rates.items()}


def weather_of(chance: Random) -> Weather:
    start = chance.randint(1, 20)
    outage = range(start, start + chance.randint(10, 60)) if chance.random() < _SHARE_WITH_OUTAGE else range(0)
    return Weather(chance.choice(_SEVERITIES), outage)


CALM = Weather(0.0)
