"""Rows are told apart as CSV's rules say, and a broken one touches no other."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client import records
from client.columns import read_columns
from client.errors import BadInput
from client.records import BrokenRow, read_fields, split_records

_TEXTS = st.text(st.one_of(st.sampled_from('",\n\r a£漢'), st.characters(exclude_categories=["Cs", "Cc"])), max_size=9)
_ROWS = st.lists(st.tuples(_TEXTS, _TEXTS, _TEXTS), min_size=1, max_size=12)


def _blocks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


class _Split(NamedTuple):
    """All rows of some bytes, and those rows' lines as pandas gets them."""

    texts: list[bytes]
    lines: list[int]
    broken: list[BrokenRow]
    pieces: list[bytes]


def _split(data: bytes, block: int = 7, width: int = 3) -> _Split:
    parts = [part for part in split_records(_blocks(data, block), width, first_line=2) if part or part.broken]
    return _Split(
        [part.text(index) for part in parts for index in range(len(part))],
        [int(line) for part in parts for line in part.lines],
        [row for part in parts for row in part.broken],
        [b"".join(part.pieces()) for part in parts if part],
    )


def _written(rows: Sequence[Sequence[str]], end: str) -> bytes:
    file = StringIO(newline="")
    csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    return file.getvalue().encode()


@given(_ROWS, st.integers(1, 60), st.sampled_from(["\n", "\r\n"]))
def test_what_csv_writes_is_read_back(rows: list[tuple[str, ...]], block: int, end: str) -> None:
    """Quotes, commas and line breaks inside values survive, wherever a block ends; pandas reads the same fields."""
    split = _split(_written(rows, end), block)
    columns = read_columns(split.pieces, ("a", "b", "c"))
    assert [tuple(read_fields(text) or ()) for text in split.texts] == rows
    assert list(zip(*([c.values[code] for code in c.codes] for c in columns.values()), strict=True)) == rows
    assert split.broken == []


@given(st.text(st.sampled_from('"",,\n\r\0ab'), max_size=60), st.integers(1, 60))
def test_no_line_is_lost(text: str, block: int) -> None:
    """Whatever the bytes are, every line that is not blank is in a row or is named as broken, in every cut alike."""
    data = text.encode()
    split = _split(data, block)
    shown = b"".join(sorted([*split.texts, *(row.text for row in split.broken)]))
    assert sorted(shown.replace(b"\n", b"").replace(b"\r", b"")) == sorted(data.replace(b"\n", b"").replace(b"\r", b""))
    assert split[:3] == _split(data, 1000)[:3]


@given(st.text(st.sampled_from('"",,\n\r\0ab'), max_size=60))
def test_pandas_agrees_on_every_row(text: str) -> None:
    """No row that is sent has other fields for pandas than for Python's csv."""
    split = _split(text.encode())
    columns = read_columns(split.pieces, ("a", "b", "c")) if split.texts else {}
    rows = zip(*([c.values[code] for code in c.codes] for c in columns.values()), strict=True)
    assert [list(row) for row in rows] == [read_fields(each) for each in split.texts]


def test_line_numbers_are_those_of_the_file() -> None:
    """Line breaks inside values and blank lines count."""
    split = _split(b'1,"a\n\nb",c\n\n2,b,c\r\n\r\n3,b,c')
    assert (split.lines, split.texts[1:]) == ([2, 6, 8], [b"2,b,c", b"3,b,c"])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"x,y", "the row has 2 fields instead of 3"),
        (b"x,y,z,", "the row has 4 fields instead of 3"),
        (b'x,"y,y","z",', "the row has 4 fields instead of 3"),
        (b'x,"y,z', "the row's quotes do not pair up"),
        (b'x,"y"y,z', "the row's quotes do not pair up"),
        (b"x,y\0,z", "the row holds a NUL byte"),
        (b'x,"y\0",z', "the row holds a NUL byte"),
        (b"x,y\ry,z", "the row holds a carriage return outside quotes"),
        (b"   ", "the row has 1 field instead of 3"),
    ],
)
@pytest.mark.parametrize("block", [5, 1000])
def test_a_broken_row_leaves_its_neighbours(line: bytes, reason: str, block: int) -> None:
    """It is named with its line and its text; the rows around it are sent, quoted ones too."""
    split = _split(b'1,"b,b",c\n' + line + b'\n2,"b",c\n3,b,c\n', block)
    assert split[:3] == ([b'1,"b,b",c', b'2,"b",c', b"3,b,c"], [2, 4, 5], [BrokenRow(3, reason, line)])


def test_a_quote_that_never_closes_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not pull the rest of the file into memory."""
    monkeypatch.setattr(records, "MAX_QUOTED_BYTES", 100)
    data = b'x,"y,z\n' + b"1,b,c\n" * 1000
    parts = list(split_records(_blocks(data, 50), 3, 2))
    assert sum(map(len, parts)) == 1000
    assert max(map(len, parts)) < 50


def test_quotes_inside_a_plain_value_are_text() -> None:
    """`19" RACK` is how people write; it means one thing only."""
    split = _split(b'1,19" RACK,c\n2,"19"" RACK",c\n')
    assert [read_fields(text) for text in split.texts] == [["1", '19" RACK', "c"], ["2", '19" RACK', "c"]]


def test_a_mark_of_utf8_inside_the_file_is_text() -> None:
    """Only the first three bytes of a file are a byte order mark."""
    columns = read_columns(_split("\ufeff1,b,c\n".encode()).pieces, ("a", "b", "c"))
    assert columns["a"].values == ["\ufeff1"]


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that is no CSV at all does not fill the memory."""
    monkeypatch.setattr(records, "MAX_LINE_BYTES", 100)
    with pytest.raises(BadInput, match="Line 2 is longer than 100 bytes"):
        _split(b"x" * 1000)


def test_a_field_of_a_mebibyte_is_a_row() -> None:
    """It is for the API to say what is too long."""
    split = _split(b"1," + b"b" * 2**20 + b",c\n2,b,c\n", block=2**16)
    assert ([len(text) for text in split.texts], split.broken) == ([2**20 + 4, 5], [])


@pytest.mark.parametrize("text", ["00123", "17850.0", "1e3", "NA", "null", "nan", " x ", "True", "", "12/1/2010"])
def test_texts_stay_as_they_are(text: str) -> None:
    """pandas makes no number, no date and no gap of any text."""
    columns = read_columns([f"{text},{text},1\n".encode()], ("a", "b", "c"))
    assert (columns["a"].values, columns["b"].values) == ([text], [text])
