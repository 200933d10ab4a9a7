"""One name for a batch everywhere, with a time that never changes."""

from datetime import UTC, datetime

import pytest

from invoices.batch import batch_time, parse_batch_id
from invoices.errors import Malformed


def test_a_uuid7_tells_the_time_of_its_batch() -> None:
    """It begins with milliseconds since 1970."""
    assert batch_time("018bcfe5-6800-7000-8000-000000000000") == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["order-17", "00000000-0000-4000-8000-000000000000", "ffffffff-ffff-7fff-8fff-ffffffffffff"]
)
def test_the_time_of_any_other_batch_id_is_1970(name: str) -> None:
    """Any other time would differ between two deliveries. The year in the last id is beyond the calendar."""
    assert batch_time(name) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["a", "x" * 64, "order_17.b-2", "01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d"])
def test_a_checked_name_is_kept_as_it_is(name: str) -> None:
    """Letters, digits, dot, underscore and dash."""
    assert parse_batch_id(name) == name


@pytest.mark.parametrize("name", ["", "x" * 65, "../up", "a/b", "a b", "a\n", ".hidden", "ä", "a\x00"])
def test_what_could_lead_out_of_the_folder_is_refused(name: str) -> None:
    """The name stands in an object's key."""
    with pytest.raises(Malformed):
        parse_batch_id(name)
