"""Line ids of a CSV."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from invoices.line import Line, line_id
from pipeline_ops.expected import Repeats, expected_rows
from tests.invoices.strategies import lines
from tests.pipeline_ops.test_read_rows import HEADER, VALUES, write


@given(st.lists(lines(st.none()), max_size=8))
def test_every_row_has_an_id_of_its_own(rows: list[Line]) -> None:
    """However often it is repeated, and in whatever order."""
    ids = []
    for order in (rows, rows[::-1]):
        repeats = Repeats()
        ids.append({repeats.number(row)[0] for row in order})
    assert (len(ids[0]), ids[0]) == (len(rows), ids[1])


def test_the_id_is_that_of_the_numbered_row() -> None:
    """The n-th row with one content is Occurrence n."""
    row = Line.model_validate(dict(zip(HEADER.split(","), VALUES.split(","), strict=True)))
    repeats = Repeats()
    numbered = [repeats.number(row) for _ in range(3)]
    assert [line.Occurrence for _, line in numbered] == [1, 2, 3]
    assert [name.hex() for name, _ in numbered] == [line_id(line, "", 0) for _, line in numbered]


def test_a_row_that_is_no_line_has_no_id(tmp_path: Path) -> None:
    """It is the API's to refuse, and it keeps its line number."""
    path = write(tmp_path / "rows.csv", f"{HEADER}\n{VALUES}\n{VALUES.replace(',6,', ',six,')}\n")
    assert [(row.number, row.line is None) for row in expected_rows(path)] == [(2, False), (3, True)]
