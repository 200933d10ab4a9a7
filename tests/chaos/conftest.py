"""An engine for the tests of this folder."""

from collections.abc import Iterator

import pytest

from chaos.stores import running_engine


@pytest.fixture(scope="module")
def engine() -> Iterator[None]:
    """AWS is a ministack in a process of its own."""
    with running_engine():
        yield
