"""An event loop without threads: what it is asked to do in one it does at once.

Threads finish in an order that no seed knows, and with them the client's batches would reach the stream in another.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class _OneThread(asyncio.SelectorEventLoop):
    def run_in_executor(self, _executor: object, func: Callable[..., Any], *args: object) -> asyncio.Future[Any]:
        done: asyncio.Future[Any] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever awaits it gets it
            done.set_exception(error)
        return done


class _Policy(asyncio.DefaultEventLoopPolicy):
    _loop_factory = _OneThread


@contextmanager
def one_thread() -> Iterator[None]:
    """Loops that `asyncio.run` makes meanwhile use no thread."""
    before = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(_Policy())
    try:
        yield
    finally:
        asyncio.set_event_loop_policy(before)
