"""Slices and pointers as items, and back."""

from hypothesis import given
from hypothesis import strategies as st

from aws.items import pointer_items, slice_from_item, slice_item, slice_key
from invoices.line import Line
from tests.invoice_rows import row
from tests.invoices.strategies import cut, lines, statements


@given(st.lists(lines() | statements(), min_size=1, max_size=12))
def test_an_item_gives_back_its_slice(batch: list[Line]) -> None:
    """DynamoDB's types lose nothing."""
    slices = cut(batch)
    assert [slice_from_item(slice_item(invoice_slice)) for invoice_slice in slices] == slices


def test_an_item_reads_like_a_small_csv_file() -> None:
    """A value that all lines share is stored once, and so are the names of the columns."""
    (invoice_slice,) = cut([Line.model_validate(row(Occurrence=1))])
    item = slice_item(invoice_slice)
    assert (item["CustomerID"], item["Columns"]) == ({"S": "17850"}, {"S": "StockCode,Description,Quantity,UnitPrice"})
    values = [{"S": "85123A"}, {"S": "WHITE HANGING HEART T-LIGHT HOLDER"}, {"N": "6"}, {"N": "2.55"}]
    assert item["Lines"] == {"L": [{"L": values}]}


@given(st.lists(lines(), min_size=1, max_size=12))
def test_each_customer_of_a_slice_has_one_pointer_to_it(batch: list[Line]) -> None:
    """Lines without a customer have none."""
    for invoice_slice in cut(batch):
        pointers = pointer_items(invoice_slice)
        item = slice_item(invoice_slice)
        named = {line.CustomerID for line in invoice_slice.lines.values() if line.CustomerID}
        assert sorted(named) == [pointer["CustomerID"]["S"] for pointer in pointers]
        assert all(slice_key(pointer["Slice"]["S"]).items() <= item.items() for pointer in pointers)
