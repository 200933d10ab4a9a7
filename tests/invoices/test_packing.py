"""A batch's bytes: deterministic, and inflated under a limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.batch import pack, unpack
from invoices.errors import Malformed, TooLarge


@given(st.binary(max_size=2000))
def test_packing_is_undone_by_unpacking(rows: bytes) -> None:
    """Whatever the bytes are."""
    assert unpack(pack(rows), limit=2000) == rows


def test_the_same_rows_are_the_same_bytes() -> None:
    """gzip's time stamp would make every retry another body."""
    assert pack(b"rows") == pack(b"rows")
    assert pack(b"rows")[4:8] == b"\0\0\0\0"


def test_members_are_joined() -> None:
    """Concatenated gzip is gzip."""
    assert unpack(pack(b"a\n") + pack(b"b\n"), limit=10) == b"a\nb\n"


@pytest.mark.parametrize("size", [99, 100])
def test_up_to_the_limit_is_taken(size: int) -> None:
    """The limit counts inflated bytes, over all members."""
    assert len(unpack(pack(b"x" * 50) + pack(b"x" * (size - 50)), limit=100)) == size


@pytest.mark.parametrize("bomb", [pack(b"x" * 101), pack(b"\0" * 10_000_000), pack(b"x" * 60) * 2])
def test_beyond_the_limit_inflating_stops(bomb: bytes) -> None:
    """One byte too many is enough to stop: a bomb is never inflated."""
    with pytest.raises(TooLarge) as caught:
        unpack(bomb, limit=100)
    assert caught.value.actual <= 120


@pytest.mark.parametrize("data", [b"", b"rows", pack(b"rows")[:-1], pack(b"rows") + b"x", b"\x1f\x8b\x08"])
def test_what_is_not_gzip_is_malformed(data: bytes) -> None:
    """Cut off, or followed by something else, too."""
    with pytest.raises(Malformed):
        unpack(data, limit=100)
