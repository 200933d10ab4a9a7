"""Slices are sets of lines that never change, an invoice is their union, and its totals are exact."""

from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from invoices.invoice import Totals, totals_of, union
from invoices.limits import MAX_SLICE_BYTES, MAX_SLICE_LINES
from invoices.line import Line
from tests.invoice_rows import row
from tests.invoices.strategies import cut, lines

numbered_lines = st.lists(lines(st.integers(1, 3)), max_size=12)


def many(count: int, **changes: object) -> list[Line]:
    return [Line.model_validate(row(**changes, Occurrence=number + 1)) for number in range(count)]


@given(numbered_lines, st.randoms(), st.integers(1, 5))
def test_the_union_depends_on_the_lines_alone(batch: list[Line], random: Random, size: int) -> None:
    """Another order, other batches and sending everything twice change neither the lines nor their order."""
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
    """Also without Occurrence: a redelivery keeps the batch id and the place in the batch."""
    assert cut(batch, "a") == cut(batch, "a")


@given(st.lists(lines(), max_size=12))
def test_no_line_of_a_record_is_left_out(batch: list[Line]) -> None:
    """Each line without Occurrence is one; the others are as many as their contents and occurrences."""
    new = sum(line.Occurrence is None for line in batch)
    numbered = len({line for line in batch if line.Occurrence is not None})
    assert sum(len(invoice_slice.lines) for invoice_slice in cut(batch)) == new + numbered


def test_a_long_invoice_becomes_several_slices() -> None:
    """A slice has at most MAX_SLICE_LINES lines."""
    slices = cut(many(2 * MAX_SLICE_LINES + 1))
    assert [len(invoice_slice.lines) for invoice_slice in slices] == [MAX_SLICE_LINES, MAX_SLICE_LINES, 1]


def test_long_descriptions_make_smaller_slices() -> None:
    """No item comes near DynamoDB's 400 KB."""
    slices = cut(many(MAX_SLICE_LINES, Description="\u00a3" * 500))
    sizes = [sum(len(str(line).encode()) for line in invoice_slice.lines.values()) for invoice_slice in slices]
    assert (len(slices) > 1, max(sizes) < MAX_SLICE_BYTES * 1.3) == (True, True)


@given(st.lists(lines(st.integers(1, 3)), min_size=2, max_size=2, unique_by=lambda line: line.model_dump_json()))
def test_other_lines_make_another_slice(batch: list[Line]) -> None:
    """Two slices of one invoice with the same id would overwrite each other."""
    first, second = (cut([line])[0] for line in batch)
    assert first.slice_id != second.slice_id


def test_totals_are_exact_sums() -> None:
    """Floats would not sum to 20.19, and a return has a negative quantity."""
    prices = [("0.1", 3), ("0.1", -1), ("19.99", 1)]
    lines = [Line.model_validate(row(UnitPrice=price, Quantity=quantity)) for price, quantity in prices]
    assert totals_of(lines) == Totals(lines=3, quantity=3, amount=Decimal("20.19"))


def test_no_lines_add_up_to_nothing() -> None:
    """No lines are no error."""
    assert totals_of([]) == Totals(0, 0, Decimal(0))


def test_totals_of_the_largest_amounts_are_exact() -> None:
    """The 28 digits that Python's decimals have by default are not enough."""
    largest = Line.model_validate(row(UnitPrice="999999999.999999", Quantity=999_999_999))
    assert totals_of([largest] * 20_000).amount == Decimal("19999999979999980000000.02")
