"""The planted defects keep up with the code."""

from pathlib import Path

import pytest

from chaos.mutants import Defect, read_catalogue

ROOT = Path(__file__).parent.parent.parent
DEFECTS = read_catalogue()


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_can_be_planted(defect: Defect) -> None:
    """Its places are there, once, and change; and so are the tests that should notice."""
    assert defect.changes
    assert [change.file for change in defect.changes if not change.is_possible(ROOT)] == []
    assert [change.file for change in defect.changes if change.original == change.planted] == []
    assert defect.tests
    assert [test for test in defect.tests if not (ROOT / test.partition("::")[0]).exists()] == []


def test_names_are_unique() -> None:
    """Because `--only` asks by name."""
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS)
