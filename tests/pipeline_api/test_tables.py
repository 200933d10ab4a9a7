"""The tables are read to the end, or the caller is told to come again."""

import pytest

from invoices.errors import Unavailable
from tests.invoice_rows import row
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB


def five_invoices(keys_a_call: int) -> FakeDynamoDB:
    return FakeDynamoDB([row(InvoiceNo=str(n)) for n in range(5)], keys_a_call)


def test_keys_left_unread_are_asked_for_again() -> None:
    """After a pause that doubles each time."""
    pauses: list[float] = []
    fake = five_invoices(keys_a_call=2)
    assert fake.tables(pauses).items_at(fake.keys()) == fake.items
    assert pauses == [0.05, 0.1]


def test_keys_that_stay_unread_are_unavailable() -> None:
    """A page without some of its invoices would be a lie."""
    pauses: list[float] = []
    fake = five_invoices(keys_a_call=0)
    with pytest.raises(Unavailable, match="left keys unread"):
        fake.tables(pauses).items_at(fake.keys())
    assert sum(pauses) < 5
