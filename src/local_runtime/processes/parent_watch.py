"""Noticing that the process that started us is gone."""

import os
import select
from collections.abc import Callable


def parent_watch(parent_of_this: Callable[[], int] = os.getppid) -> Callable[[], bool]:
    """A question to ask now and then: has another process become our parent since this call?"""
    first = parent_of_this()
    return lambda: parent_of_this() != first


def reader_is_gone(pipe: int) -> bool:
    """Nobody can read what is written to this end any more: the parent died even before it could be watched.

    Always False for a file or a terminal.
    """
    poll = select.poll()
    poll.register(pipe, 0)  # errors are told without being asked for
    return any(happened & (select.POLLERR | select.POLLHUP) for _, happened in poll.poll(0))
