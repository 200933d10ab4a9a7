"""Lines and sets of lines for property tests."""

from decimal import Decimal

from hypothesis import strategies as st

from invoices.line import Line

_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)
_few = st.sampled_from(["1", "2", "C3"])


def lines(occurrences: st.SearchStrategy[int | None] | None = None) -> st.SearchStrategy[Line]:
    """Any valid line; few ids and codes, so that repeats happen."""
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
