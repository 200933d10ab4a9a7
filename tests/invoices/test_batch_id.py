"""One name for a batch everywhere, with a time that never changes."""

import pytest

from invoices.batch import parse_batch_id, raw_key
from invoices.errors import Malformed


def test_the_raw_object_is_filed_by_the_time_in_the_name() -> None:
    """A UUIDv7 begins with milliseconds since 1970."""
    assert raw_key("018bcfe5-6800-7000-8000-000000000000") == (
        "raw/dt=2023-11-14/hour=22/018bcfe5-6800-7000-8000-000000000000.ndjson.gz"
    )


@pytest.mark.parametrize(
    "name", ["order-17", "00000000-0000-4000-8000-000000000000", "ffffffff-ffff-7fff-8fff-ffffffffffff"]
)
def test_a_name_without_a_time_is_filed_under_the_epoch(name: str) -> None:
    """Any other time would differ between two deliveries. The last one's year is beyond the calendar."""
    assert raw_key(name) == f"raw/dt=1970-01-01/hour=00/{name}.ndjson.gz"


@pytest.mark.parametrize("name", ["a", "x" * 64, "order_17.b-2", "01939f3e-8a00-7c3e-9d5b-3f1f0c2a4b6d"])
def test_a_checked_name_is_kept_as_it_is(name: str) -> None:
    """Letters, digits, dot, underscore and dash."""
    assert parse_batch_id(name) == name


@pytest.mark.parametrize("name", ["", "x" * 65, "../up", "a/b", "a b", "a\n", ".hidden", "ä", "a\x00"])
def test_what_could_lead_out_of_the_folder_is_refused(name: str) -> None:
    """The name stands in an object's key."""
    with pytest.raises(Malformed):
        parse_batch_id(name)
