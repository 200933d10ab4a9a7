"""Slices are immutable sets of lines, and an invoice is their union."""

from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from aws.items import pointer_items, slice_from_item, slice_item, slice_key
from invoices.invoice import Slice, slices_of, union
from invoices.limits import MAX_SLICE_BYTES, MAX_SLICE_LINES
from invoices.line import Line
from invoices.rows import Rows
from tests.invoice_rows import row
from tests.invoices.strategies import lines

numbered_lines = st.lists(lines(st.integers(1, 3)), max_size=12)


def cut(batch: Sequence[Line], batch_id: str = "batch") -> list[Slice]:
    return slices_of(Rows(list(batch), range(len(batch)), []), batch_id)


def many(count: int, **changes: object) -> list[Line]:
    return [Line.model_validate(row(**changes, Occurrence=number + 1)) for number in range(count)]


@given(numbered_lines, st.randoms(), st.integers(1, 5))
def test_the_union_depends_on_the_lines_alone(batch: list[Line], random: Random, size: int) -> None:
    """Another order, other batches and everything sent twice change nothing, not even the order of the answer."""
    shuffled = batch * 2
    random.shuffle(shuffled)
    slices = [
        invoice_slice
        for start in range(0, len(shuffled), size)
        for invoice_slice in cut(shuffled[start : start + size], "b")
    ]
    assert list(union(slices).items()) == list(union(cut(batch, "a")).items())


@given(st.lists(lines(), max_size=12))
def test_a_redelivered_record_makes_the_same_slices(batch: list[Line]) -> None:
    """With and without Occurrence: the batch id and the place in it are what a redelivery keeps."""
    assert cut(batch, "a") == cut(batch, "a")


@given(st.lists(lines(), max_size=12))
def test_no_line_of_a_record_is_left_out(batch: list[Line]) -> None:
    """Every line without Occurrence counts for itself, every other by content and number."""
    new = sum(line.Occurrence is None for line in batch)
    numbered = len({line for line in batch if line.Occurrence is not None})
    assert sum(len(invoice_slice.lines) for invoice_slice in cut(batch)) == new + numbered


@given(st.lists(lines(), min_size=1, max_size=12))
def test_an_item_gives_back_its_slice(batch: list[Line]) -> None:
    """Nothing is lost on the way through DynamoDB's types."""
    slices = cut(batch)
    assert [slice_from_item(slice_item(invoice_slice)) for invoice_slice in slices] == slices


def test_an_item_reads_like_a_small_csv() -> None:
    """What all lines share is said once, and so are the names of the columns."""
    (invoice_slice,) = cut([Line.model_validate(row(Occurrence=1))])
    item = slice_item(invoice_slice)
    assert (item["CustomerID"], item["Columns"]) == ({"S": "17850"}, {"S": "StockCode,Description,Quantity,UnitPrice"})
    values = [{"S": "85123A"}, {"S": "WHITE HANGING HEART T-LIGHT HOLDER"}, {"N": "6"}, {"N": "2.55"}]
    assert item["Lines"] == {"L": [{"L": values}]}


@given(st.lists(lines(), min_size=1, max_size=12))
def test_each_customer_of_a_slice_has_one_pointer_to_it(batch: list[Line]) -> None:
    """And lines without a customer have none."""
    for invoice_slice in cut(batch):
        pointers = pointer_items(invoice_slice)
        item = slice_item(invoice_slice)
        named = {line.CustomerID for line in invoice_slice.lines.values() if line.CustomerID}
        assert sorted(named) == [pointer["CustomerID"]["S"] for pointer in pointers]
        assert all(slice_key(pointer["Slice"]["S"]).items() <= item.items() for pointer in pointers)


def test_a_long_invoice_is_cut_by_lines() -> None:
    """A slice holds at most MAX_SLICE_LINES."""
    slices = cut(many(2 * MAX_SLICE_LINES + 1))
    assert [len(invoice_slice.lines) for invoice_slice in slices] == [MAX_SLICE_LINES, MAX_SLICE_LINES, 1]


def test_long_descriptions_are_cut_by_bytes() -> None:
    """No item comes near DynamoDB's 400 KB, whatever its lines say."""
    slices = cut(many(MAX_SLICE_LINES, Description="\u00a3" * 500))
    sizes = [sum(len(str(line).encode()) for line in invoice_slice.lines.values()) for invoice_slice in slices]
    assert (len(slices) > 1, max(sizes) < MAX_SLICE_BYTES * 1.3) == (True, True)


@given(st.lists(lines(st.integers(1, 3)), min_size=2, max_size=2, unique_by=lambda line: line.model_dump_json()))
def test_other_lines_make_another_slice(batch: list[Line]) -> None:
    """However many there are: two slices of one invoice under one name would overwrite each other."""
    first, second = (cut([line])[0] for line in batch)
    assert first.slice_id != second.slice_id
