"""How a route calls the synchronous core: the same core everywhere, chosen where the application is wired."""

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Run(Protocol):
    """Calls a blocking function for a route: Starlette's `run_in_threadpool`, or `inline`."""

    async def __call__(self, func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T: ...


async def inline(func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """At once, in this thread: right on Lambda, where an instance serves one request at a time."""
    return func(*args, **kwargs)
