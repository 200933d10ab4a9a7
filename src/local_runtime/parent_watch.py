"""Noticing that the process that started us is gone."""

import os
from collections.abc import Callable


def parent_watch(parent_of_this: Callable[[], int] = os.getppid) -> Callable[[], bool]:
    """A question to ask now and then: has another process become our parent since? It never goes back to False."""
    first = parent_of_this()
    return lambda: parent_of_this() != first
