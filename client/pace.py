"""Holds rows back so that they come as fast as in real time."""

from collections.abc import Awaitable, Callable


class Pace:
    """Lets at most `rate` rows a second pass, measured from the first; None lets all pass at once."""

    def __init__(
        self, rate: float | None, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._started: float | None = None
        self._passed = 0

    async def wait_for(self, rows: int) -> None:
        """Returns when these rows may go."""
        if self._rate is None:
            return
        self._started = self._clock() if self._started is None else self._started
        pause = self._started + self._passed / self._rate - self._clock()
        self._passed += rows
        if pause > 0:
            await self._sleep(pause)
