"""A read of the tables is complete, or it fails."""

import pytest

from invoices.errors import Unavailable
from tests.invoice_rows import row
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB


def five_invoices(keys_per_call: int) -> FakeDynamoDB:
    return FakeDynamoDB([row(InvoiceNo=str(n)) for n in range(5)], keys_per_call)


def test_unread_keys_are_read_again() -> None:
    """Each pause is twice as long as the one before."""
    pauses: list[float] = []
    fake = five_invoices(keys_per_call=2)
    assert fake.tables(pauses).items_at(fake.keys()) == fake.items
    assert pauses == [0.05, 0.1]


def test_keys_that_stay_unread_raise_unavailable() -> None:
    """A page must not leave out invoices."""
    pauses: list[float] = []
    fake = five_invoices(keys_per_call=0)
    with pytest.raises(Unavailable, match="left keys unread"):
        fake.tables(pauses).items_at(fake.keys())
    assert sum(pauses) < 5
