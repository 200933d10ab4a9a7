"""How far a long command is, for whoever waits for it."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

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
