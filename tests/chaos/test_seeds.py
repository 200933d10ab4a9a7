"""The whole pipeline with faults by seed; `make chaos SEEDS=n` runs more of them."""

import pytest

from chaos.faults import NO_FAULTS, FaultProfile
from chaos.scenario import run_seed

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("seed", range(1, 21))
def test_nothing_is_lost_and_nothing_is_twice(engine: None, seed: int) -> None:
    """Every row is where it belongs, once, and every rejected one is named."""
    assert run_seed(seed, "seeds").findings == []


def test_without_faults_nothing_is_found(engine: None) -> None:
    """A finding here is a mistake of the oracle, or of the pipeline without any help."""
    result = run_seed(2, "no-faults", NO_FAULTS)

    assert result.findings == []
    assert result.decisions == []


def test_a_seed_comes_back_the_same(engine: None) -> None:
    """So whatever a seed finds can be repeated and examined."""
    first, second = (run_seed(5, prefix, FaultProfile(1.0)) for prefix in ("first", "second"))

    assert first.decisions == second.decisions
    assert first.counts == second.counts
