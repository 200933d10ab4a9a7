"""The n-th row with one content gets the number n."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client import repeats
from client.columns import Column
from client.repeats import Hashes, Repeats


def _column(texts: Sequence[str]) -> Column:
    values, codes = np.unique(np.array(texts, object), return_inverse=True)
    return Column(codes, values.tolist())


def _numbers(chunks: Sequence[Sequence[str]]) -> list[int]:
    state = Repeats()
    return [int(number) for chunk in chunks for number in state.number({"a": _column(chunk)})]


def _expected(chunks: Sequence[Sequence[str]]) -> list[int]:
    seen: Counter[str] = Counter()
    numbers = []
    for text in (text for chunk in chunks for text in chunk):
        seen[text] += 1
        numbers.append(seen[text])
    return numbers


@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=20), max_size=8))
def test_rows_are_numbered_over_all_chunks(chunks: list[list[str]]) -> None:
    """Where a chunk ends makes no difference."""
    assert _numbers(chunks) == _expected(chunks)


def test_numbers_survive_a_growing_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that starts with two slots counts a thousand rows right."""
    monkeypatch.setattr(repeats, "_FIRST_SLOTS", 2)
    chunks = [[str(number * number % 701) for number in range(start, start + 100)] for start in range(0, 2000, 100)]
    assert _numbers(chunks) == _expected(chunks)


def test_rows_that_share_half_a_hash_are_not_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both halves count."""
    hashes = Hashes(np.array([1, 1, 1, 2], np.uint64), np.array([3, 4, 3, 4], np.uint64))
    monkeypatch.setattr(repeats, "row_hashes", lambda _columns: hashes)
    assert Repeats().number({}).tolist() == [1, 1, 2, 1]


def test_an_equal_text_in_another_column_is_another_row() -> None:
    """Values that change places make another row."""
    columns = {"a": _column(["x", "y"]), "b": _column(["y", "x"])}
    assert Repeats().number(columns).tolist() == [1, 1]
