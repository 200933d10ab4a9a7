"""JSON is split into the texts of its elements."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.errors import Malformed
from pipeline_api.ingest.batch import split_json

TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=8,
)


@given(st.lists(VALUES), st.sampled_from([None, 0, 3]), st.booleans())
def test_the_elements_keep_their_values(values: list[Any], indent: int | None, ascii_only: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    """However the array is formatted."""
    array = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
    assert [json.loads(text) for text in split_json(array)] == values


@given(VALUES.filter(lambda value: not isinstance(value, list)))
def test_any_other_value_is_its_own_only_element(value: object) -> None:
    """One row as an object is a batch of one row."""
    assert [json.loads(text) for text in split_json(json.dumps(value).encode())] == [value]


@pytest.mark.parametrize("text", [b"[", b"[1", b"[1,", b"[,]", b"[1 2]", b"[1]]", b"[]x", b"{} {}", b"nul", b"[1,]"])
def test_broken_json_is_malformed(text: bytes) -> None:
    """Wherever the mistake is."""
    with pytest.raises(Malformed, match="not valid JSON, near character"):
        split_json(text)
