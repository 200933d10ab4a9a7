"""An engine for the tests of this folder."""

from collections.abc import Iterator

import pytest

from chaos.engine import EngineName, running_engine
from chaos.stores import environment


@pytest.fixture(scope="module")
def engine() -> Iterator[None]:
    """AWS is a ministack in a process of its own."""
    with running_engine(EngineName.MINISTACK) as running, environment(running.environment):
        yield
