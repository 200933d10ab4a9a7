"""The whole pipeline in bad weather; `make chaos SEEDS=n` runs more of them."""

import pytest

from chaos.seed import run_seed
from chaos.weather import CALM, Weather

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("seed", range(1, 21))
def test_nothing_is_lost_and_nothing_is_twice(engine: None, seed: int) -> None:
    """Every row is where it belongs, once, and every rejected one is named."""
    assert run_seed(seed, "seeds").findings == []


def test_a_calm_day_has_no_faults(engine: None) -> None:
    """What is found there would be a fault of the accounting, or of the pipeline without any help."""
    result = run_seed(2, "calm", CALM)

    assert result.findings == []
    assert result.decisions == []


def test_a_seed_comes_back_the_same(engine: None) -> None:
    """So whatever a seed finds can be looked at again."""
    first, second = (run_seed(5, prefix, Weather(1.0)) for prefix in ("first", "second"))

    assert first.decisions == second.decisions
    assert first.rows == second.rows
