"""How long to wait before the next try."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between tries: `first`, then twice as long each time, `longest` at most.

    AWS does not say how long Lambda waits; doubling keeps the wait below the length of the outage it sits out.
    """

    first: float = 0.2
    longest: float = 60.0

    def delay(self, failures: int) -> float:
        """The wait after so many failures in a row (1 or more)."""
        doublings = min(failures - 1, 32)  # beyond that every float is `longest` anyway
        return min(self.first * 2.0 ** max(doublings, 0), self.longest)
