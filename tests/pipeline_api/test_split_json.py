"""JSON is split into the texts of its elements."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.errors import Malformed, TooLarge
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


_LONG = {"string": '"' + "a" * 70_000 + '"', "escapes": '"' + "\\\\" * 40_000 + '"', "number": "1" * 70_000}
_LONG |= {"brackets": "[" + "[]," * 30_000 + "1]", "object": '{"a": [' + '"b",' * 20_000 + "1]}"}


@pytest.mark.parametrize("value", _LONG.values(), ids=_LONG.keys())
def test_an_element_that_is_longer_than_a_row_is_not_walked_through(value: str) -> None:
    """4 MB of brackets compress to 18 KB and take a parser a second."""
    with pytest.raises(TooLarge, match="a row is too large: 65,537 bytes, and the limit is 65,536 bytes"):
        split_json(f"[1, {value}, 2]".encode())


@given(st.integers(4_070, 4_100), st.sampled_from(["1.5e-3", "true", '"\\ud83d\\ude00é"', '{"a": [null]}', "-12"]))
def test_an_element_is_found_wherever_the_text_is_first_cut(padding: int, value: str) -> None:
    """The parser first gets some 4,000 characters, which may end inside of any token."""
    element = f'{{"a": "{"x" * (padding - 8)}", "b": {value}}}'
    assert split_json(f"[{element}, {value}]".encode()) == [element.encode(), value.encode()]


@pytest.mark.parametrize("good", [4_000, 60_000])
def test_a_mistake_in_a_long_element_is_named_with_its_place(good: int) -> None:
    """The element is cut only for the parser."""
    text = f'[1, {{"a": "{"x" * good}", nonsense}}, {" " * 70_000}]'
    with pytest.raises(Malformed, match=f"near character {text.index('nonsense') + 1:,}"):
        split_json(text.encode())
