"""An engine for the tests of this folder."""

from collections.abc import Iterator

import pytest

from chaos.engine import running_engine
from chaos.stores import environment


@pytest.fixture(scope="module")
def engine() -> Iterator[None]:
    """AWS is a ministack in a process of its own."""
    with running_engine() as variables, environment(variables):
        yield
