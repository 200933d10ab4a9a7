"""Lines and slices for property tests."""

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import strategies as st

from invoices.invoice import Slice, slices_of
from invoices.line import Line
from invoices.rows import Rows
from tests.invoice_rows import row

_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)
_few = st.sampled_from(["1", "2", "C3"])


def lines(occurrences: st.SearchStrategy[int | None] | None = None) -> st.SearchStrategy[Line]:
    """Any valid line. There are few ids and codes, so that lines repeat."""
    return st.builds(
        Line,
        InvoiceNo=_few,
        StockCode=st.sampled_from(["POST", "85123A", "InvoiceNo"]) | _text,
        Description=st.none() | _text,
        Quantity=st.integers(-80995, 80995),
        InvoiceDate=st.sampled_from(["2010-12-01T08:26:00", "2011-12-09T12:50:00"]),
        UnitPrice=st.decimals(-11062, 38970, places=3, allow_nan=False).map(lambda price: format(Decimal(price), "f")),
        CustomerID=st.none() | _few,
        Country=st.sampled_from(["United Kingdom", "EIRE"]),
        Occurrence=st.none() | st.integers(1, 3) if occurrences is None else occurrences,
    )


_INSTANTS = ["2026-11-26T09:00:00Z", "2026-11-26T11:00:00.5+02:00", "2026-11-27T00:00:00Z"]


@st.composite
def statements(draw: st.DrawFn) -> Line:
    """A row with an Occurrence, which may say when it was stated and whether its line is taken back.

    There are few lines, so that several statements are about one of them.
    """
    line = Line.model_validate(row(StockCode=draw(st.sampled_from("ABC")), Occurrence=draw(st.integers(1, 2))))
    as_of, withdrawn = draw(st.none() | st.sampled_from(_INSTANTS)), draw(st.booleans())
    return Line.model_validate({**line.model_dump(mode="json"), "AsOf": as_of, "Withdrawn": withdrawn})


def cut(batch: Sequence[Line], batch_id: str = "batch") -> list[Slice]:
    """The slices of a record that holds these lines and no rejected row."""
    return slices_of(Rows(list(batch), range(len(batch)), []), batch_id)
