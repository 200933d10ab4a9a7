"""A row sent again is the same line; a true repeat is another."""

from hypothesis import given
from hypothesis import strategies as st

from invoices.line import Line, content, line_id
from tests.invoices.strategies import lines

numbered = lines(st.integers(1, 3))
unnumbered = lines(st.none())


@given(numbered, st.text(), st.integers(0, 9999))
def test_with_occurrence_the_batch_does_not_matter(line: Line, batch: str, index: int) -> None:
    """So a file sent again, in whatever batches, lands on itself."""
    assert line_id(line, batch, index) == line_id(line, "another", 0)


@given(numbered, numbered)
def test_with_occurrence_two_lines_are_one_exactly_if_content_and_number_agree(one: Line, two: Line) -> None:
    """True repeats carry other numbers and are kept."""
    same = (content(one), one.Occurrence) == (content(two), two.Occurrence)
    assert (line_id(one, "batch", 0) == line_id(two, "batch", 1)) == same


@given(unnumbered)
def test_without_occurrence_every_row_is_new(line: Line) -> None:
    """Another batch or another place in it is another line; a redelivery is not."""
    ids = [line_id(line, "a", 0), line_id(line, "a", 1), line_id(line, "b", 0), line_id(line, "a", 0)]
    assert (len(set(ids)), ids[0] == ids[3]) == (3, True)
