"""Noticing that the parent is gone."""

import os

from local_runtime.function_process import parent_watch, reader_is_gone


def test_another_parent_means_that_ours_is_gone() -> None:
    """The system hands an orphan to another process."""
    parents = iter([100, 100, 1, 1])
    is_gone = parent_watch(lambda: next(parents))

    assert [is_gone(), is_gone(), is_gone()] == [False, True, True]


def test_a_pipe_tells_when_its_reader_is_gone() -> None:
    """And not before, however much or little is in it."""
    reading, writing = os.pipe()
    before = reader_is_gone(writing)
    os.close(reading)
    after = reader_is_gone(writing)
    os.close(writing)

    assert (before, after) == (False, True)
