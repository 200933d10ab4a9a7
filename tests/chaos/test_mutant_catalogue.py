"""The planted defects keep up with the code."""

from pathlib import Path

import pytest

from chaos.mutant_catalogue import DEFECTS, Defect

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_can_be_planted(defect: Defect) -> None:
    """Its place is there, once, and so are the tests that should notice."""
    assert (ROOT / defect.file).read_text().count(defect.original) == 1
    assert [test for test in defect.tests if not (ROOT / test).exists()] == []


def test_names_are_unique() -> None:
    """Because `--only` asks by name."""
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS)
