"""At most so many things in a second, evenly."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Pace:
    """`per_second` is None for as fast as it goes."""

    def __init__(
        self,
        per_second: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._seconds_each = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._sleep = sleep

    def __call__(self, things: Iterable[T]) -> Iterator[T]:
        """A thing that took longer than its share is not caught up with: the rate is a limit, not an average."""
        due = self._clock()
        for thing in things:
            if (wait := due - self._clock()) > 0:
                self._sleep(wait)
            due = max(due, self._clock()) + self._seconds_each
            yield thing
