"""Totals are computed from lines, exactly."""

from decimal import Decimal

from invoices.invoice import Totals, totals_of
from invoices.line import Line
from tests.invoice_rows import row


def test_totals_are_exact_sums() -> None:
    """0.1 three times is 0.3, and returns count against it."""
    prices = [("0.1", 3), ("0.1", -1), ("19.99", 1)]
    lines = [Line.model_validate(row(UnitPrice=price, Quantity=quantity)) for price, quantity in prices]
    assert totals_of(lines) == Totals(lines=3, quantity=3, amount=Decimal("20.19"))


def test_no_lines_add_up_to_nothing() -> None:
    """Not an error."""
    assert totals_of([]) == Totals(0, 0, Decimal(0))


def test_totals_of_the_largest_amounts_are_exact() -> None:
    """Python's own 28 digits are not enough for them."""
    largest = Line.model_validate(row(UnitPrice="999999999.999999", Quantity=999_999_999))
    assert totals_of([largest] * 20_000).amount == Decimal("19999999979999980000000.02")
