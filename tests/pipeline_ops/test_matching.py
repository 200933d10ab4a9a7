"""An altered line is found again by what it still says."""

from invoices.line import Line
from pipeline_ops.verify.judgement import altered_lines
from pipeline_ops.verify.tables import Stray
from tests.invoice_rows import row


def line(**changes: object) -> Line:
    return Line.model_validate(row(**changes))


def test_each_stray_stands_for_one_missing_line() -> None:
    """The one that is most like it."""
    stray = Stray(b"s", "slice", line(Quantity=7))
    near, far = line(), line(StockCode="POST")
    (pair,) = altered_lines([("far", far), ("near", near)], [stray])
    assert (pair.missing, pair.fields) == ("near", ["Quantity"])


def test_lines_of_two_invoices_are_two_lines() -> None:
    """And so are lines that have little in common."""
    strays = [Stray(b"1", "s", line(InvoiceNo="9")), Stray(b"2", "s", line(StockCode="A", Quantity=1, UnitPrice=1))]
    other = line(Country="EIRE")
    assert altered_lines([("missing", other)], strays) == []
