"""At most so many things in a second, evenly."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

# Tables on the terminal whose keys can be copied.

_UNBOUNDED = 100_000


def print_table(table: Table) -> None:
    """As wide as its longest values: a key that is cut over two lines is of no use."""
    console = Console()
    width = Measurement.get(console, console.options.update(max_width=_UNBOUNDED), table).maximum
    Console(width=max(console.width, width), soft_wrap=True).print(table)


# How far a long command is, for whoever waits for it.

T = TypeVar("T")


class Watch(Protocol):
    """Hands on what it is given and shows how many there were, of how many where that is known."""

    def __call__(self, things: Iterable[T], what: str, total: int | None = None) -> Iterator[T]: ...


def unwatched(things: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:  # noqa: ARG001 - a Watch
    return iter(things)


def progress_bar() -> Progress:
    """On standard error, so that standard output is the answer alone; silent where nobody looks."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, refresh_per_second=4)


def watched_on(bar: Progress) -> Watch:
    def watched(things: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
        return iter(bar.track(things, total=total, description=what))

    return watched


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
