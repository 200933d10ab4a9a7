"""A changed line is recognised by the fields that stayed the same."""

from invoices.line import Line
from pipeline_ops.verify.reconcile import match_changed
from pipeline_ops.verify.tables import Unexpected
from tests.invoice_rows import row


def line(**changes: object) -> Line:
    return Line.model_validate(row(**changes))


def test_each_unexpected_line_stands_for_one_missing_line() -> None:
    """The one that is most like it."""
    unexpected = Unexpected(b"s", "slice", line(Quantity=7))
    near, far = line(), line(StockCode="POST")
    (pair,) = match_changed([("far", far), ("near", near)], [unexpected])
    assert (pair.missing, pair.fields) == ("near", ["Quantity"])


def test_lines_of_two_invoices_are_two_lines() -> None:
    """And so are lines that have little in common."""
    lines = [
        Unexpected(b"1", "s", line(InvoiceNo="9")),
        Unexpected(b"2", "s", line(StockCode="A", Quantity=1, UnitPrice=1)),
    ]
    other = line(Country="EIRE")
    assert match_changed([("missing", other)], lines) == []
