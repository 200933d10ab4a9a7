"""The id of a batch and its time, and the bytes of a batch."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.batch import batch_time, pack, parse_batch_id, unpack
from invoices.errors import Malformed, TooLarge


def test_a_uuid7_carries_the_time_of_its_batch() -> None:
    """A UUIDv7 starts with the milliseconds since 1970."""
    assert batch_time("018bcfe5-6800-7000-8000-000000000000") == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "batch_id", ["order-17", "00000000-0000-4000-8000-000000000000", "ffffffff-ffff-7fff-8fff-ffffffffffff"]
)
def test_the_time_of_any_other_batch_id_is_1970(batch_id: str) -> None:
    """Any other time would differ between two deliveries. The year in the last id is beyond the calendar."""
    assert batch_time(batch_id) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("batch_id", ["a", "x" * 64, "order_17.b-2", "01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d"])
def test_a_valid_batch_id_is_kept_unchanged(batch_id: str) -> None:
    """Letters, digits, dot, underscore and dash are valid."""
    assert parse_batch_id(batch_id) == batch_id


@pytest.mark.parametrize("batch_id", ["", "x" * 65, "../up", "a/b", "a b", "a\n", ".hidden", "ä", "a\x00"])
def test_an_invalid_batch_id_is_malformed(batch_id: str) -> None:
    """A batch id becomes part of an object's key and must not leave its folder."""
    with pytest.raises(Malformed):
        parse_batch_id(batch_id)


@given(st.binary(max_size=2000))
def test_unpacking_undoes_packing(rows: bytes) -> None:
    """The bytes need not be NDJSON."""
    assert unpack(pack(rows), limit=2000) == rows


def test_the_same_rows_make_the_same_bytes() -> None:
    """With gzip's timestamp every retry would be another body."""
    assert pack(b"rows") == pack(b"rows")
    assert pack(b"rows")[4:8] == b"\0\0\0\0"


def test_members_are_joined() -> None:
    """Concatenated gzip files are a gzip file."""
    assert unpack(pack(b"a\n") + pack(b"b\n"), limit=10) == b"a\nb\n"


@pytest.mark.parametrize("size", [99, 100])
def test_a_batch_at_the_limit_is_accepted(size: int) -> None:
    """The limit counts the inflated bytes of all members."""
    assert len(unpack(pack(b"x" * 50) + pack(b"x" * (size - 50)), limit=100)) == size


@pytest.mark.parametrize("bomb", [pack(b"x" * 101), pack(b"\0" * 10_000_000), pack(b"x" * 60) * 2])
def test_inflating_stops_at_the_limit(bomb: bytes) -> None:
    """One byte too many is enough, so a gzip bomb is never inflated."""
    with pytest.raises(TooLarge) as caught:
        unpack(bomb, limit=100)
    assert caught.value.actual <= 120


@pytest.mark.parametrize("data", [b"", b"rows", pack(b"rows")[:-1], pack(b"rows") + b"x", b"\x1f\x8b\x08"])
def test_invalid_gzip_is_malformed(data: bytes) -> None:
    """So is gzip that is cut off or followed by something else."""
    with pytest.raises(Malformed):
        unpack(data, limit=100)
