"""Which encoding a file has is found out from all of its bytes."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from client.csv_file import UTF8_BOM, find_encoding, open_source
from client.errors import BadInput
from tests.csv_encodings import ENCODED_FILES


def _blocks(data: bytes, size: int = 3) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def test_plain_ascii_is_utf8() -> None:
    """Text that is both counts as UTF-8."""
    assert find_encoding(_blocks(b"INVOICE")) == "utf-8"


def test_a_character_that_spans_two_blocks_is_utf8() -> None:
    """Where a block ends says nothing about the encoding."""
    data = "ab£, 漢字, ab£".encode()
    assert find_encoding(_blocks(data)) == "utf-8"


def test_one_late_byte_decides_for_cp1252() -> None:
    """A pound sign on the last line counts as much as one on the first."""
    data = b"A" * 100_000 + "£".encode("cp1252")
    assert find_encoding(_blocks(data, 4096)) == "cp1252"


def test_a_character_cut_off_at_the_end_is_not_utf8() -> None:
    """Half a character at the very end is a byte of cp1252."""
    assert find_encoding([b"ab\xc3"]) == "cp1252"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xc3 \x81", id="a byte that cp1252 lacks"),
        pytest.param(UTF8_BOM + b"caf\xe9", id="a mark of UTF-8 that does not hold"),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    """A file is never read in an encoding that does not fit it."""
    with pytest.raises(BadInput, match="UTF-8"):
        find_encoding(_blocks(data, 1024))


@pytest.mark.parametrize(("data", "description"), ENCODED_FILES)
def test_files(tmp_path: Path, data: bytes, description: str | None) -> None:
    """The operator's commands have a test with the same files."""
    path = tmp_path / "rows.csv"
    path.write_bytes(data)
    if description is None:
        with pytest.raises(BadInput):
            _read_description(path)
    else:
        assert _read_description(path) == description


def _read_description(path: Path) -> str:
    with open_source(path) as source:
        text = b"".join(source.blocks()).decode()
    return next(csv.DictReader(StringIO(text)))["Description"]
