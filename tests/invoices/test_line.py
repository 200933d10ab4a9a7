"""What an invoice line takes, what it refuses, and the one form that it keeps."""

import json
from decimal import Decimal

import pytest
from pydantic import ValidationError

from invoices.line import Line
from invoices.money import money_text
from tests.invoice_rows import row, without


def line(**changes: object) -> Line:
    return Line.model_validate_json(json.dumps(row(**changes)))


@pytest.mark.parametrize("given", [17850, 17850.0, "17850", "17850.0"])
@pytest.mark.parametrize("field", ["InvoiceNo", "CustomerID"])
def test_an_id_is_text_however_it_was_written(field: str, given: object) -> None:
    """pandas writes an id as 17850.0 where its column has gaps."""
    assert getattr(line(**{field: given}), field) == "17850"


@pytest.mark.parametrize("given", [2, 2.0])
def test_an_occurrence_is_a_number_however_it_was_written(given: object) -> None:
    """JSON does not tell 2 from 2.0."""
    assert line(Occurrence=given).Occurrence == 2


@pytest.mark.parametrize("invoice_no", ["C536379", "A563185", "abc_1-2"])
def test_cancellations_and_adjustments_have_letters_in_their_number(invoice_no: str) -> None:
    """`C` and `A` invoices are invoices."""
    assert line(InvoiceNo=invoice_no).InvoiceNo == invoice_no


@pytest.mark.parametrize("code", ["POST", "D", "BANK CHARGES", "gift_0001_40", "47503J ", "InvoiceNo", "22 / 7"])
def test_a_stock_code_is_kept_as_it_is(code: str) -> None:
    """Codes have letters, lower case, blanks, and one may be called as a column."""
    assert line(StockCode=code).StockCode == code


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("12/1/2010 8:26", "2010-12-01T08:26:00"),
        ("01/02/2011 18:06:07", "2011-01-02T18:06:07"),
        ("2010-12-01T08:26", "2010-12-01T08:26:00"),
        ("2010-12-01 08:26:00", "2010-12-01T08:26:00"),
        ("2010-12-01T08:26:00.5", "2010-12-01T08:26:00.500000"),
        ("2010-12-01T08:26:00+02:00", "2010-12-01T06:26:00Z"),
        ("2010-12-01T08:26:00Z", "2010-12-01T08:26:00Z"),
    ],
)
def test_a_date_becomes_iso_8601(given: str, kept: str) -> None:
    """Two ways to write one time are one time."""
    assert line(InvoiceDate=given).InvoiceDate == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [("2.55", "2.55"), ("2.550", "2.55"), (2.55, "2.55"), (3, "3.00"), ("0", "0.00"), ("-0.0", "0.00")]
    + [("-11062.06", "-11062.06"), ("0.001", "0.001"), (38970, "38970.00"), ("123456789.123456", "123456789.123456")],
)
def test_money_is_exact(given: object, kept: str) -> None:
    """A price is a Decimal from its text to its text."""
    price = line(UnitPrice=given).UnitPrice
    assert (type(price), money_text(price)) == (Decimal, kept)


@pytest.mark.parametrize(("given", "kept"), [(6, 6), (6.0, 6), ("6", 6), ("-80995", -80995), ("6.0", 6)])
def test_a_quantity_is_a_whole_number(given: object, kept: int) -> None:
    """Text and whole floats are taken, too."""
    assert line(Quantity=given).Quantity == kept


@pytest.mark.parametrize("field", ["Description", "CustomerID"])
@pytest.mark.parametrize("given", ["", None])
def test_empty_text_is_none(field: str, given: object) -> None:
    """A CSV cannot tell the two apart."""
    assert getattr(line(**{field: given}), field) is None


NEVER_A_VALUE: list[object] = [True, [], {}, "x" * 2**20]


@pytest.mark.parametrize(
    ("field", "refused"),
    [(field, value) for field in row() for value in NEVER_A_VALUE]
    + [(field, value) for field in ("InvoiceNo", "CustomerID") for value in (1.5, -1, "a b", "a#b", "a/b", "..", "ä")]
    + [("InvoiceNo", value) for value in ("", None, "x" * 41)]
    + [("StockCode", value) for value in ("", None, "a\nb", "a\x00b", "x" * 61)]
    + [("Description", value) for value in ("a\x00b", "\ud800", "x" * 501, 5)]
    + [("Quantity", value) for value in ("", None, 1.5, "1.5", "1e3", "+1", " 1", 10**9, float("nan"))]
    + [("UnitPrice", value) for value in ("", None, "NaN", "Infinity", "1e3", "1_0", " 1", "0.1234567", 10**9)]
    + [("UnitPrice", value) for value in (float("nan"), float("inf"), "\u0661", "1,5")]
    + [("InvoiceDate", value) for value in ("", None, 5, "13/1/2010 8:26", "2/30/2010 8:26", "2010-12-01", "today")]
    + [
        ("InvoiceDate", value)
        for value in (
            "2010-13-01T00:00",
            "2010-12-01T24:00",
            "2010-12-01T10:00+01:99",
            "0001-01-01T00:00+10:00",
            "1/1/10 8:26",
        )
    ]
    + [("Country", value) for value in ("", None, "a\tb")]
    + [("Occurrence", value) for value in (0, -1, "1", 1.5, True, 10**9, 1e9)],
)
def test_what_is_no_value_of_its_field_is_refused(field: str, refused: object) -> None:
    """Booleans, NaN and infinities are no numbers; lengths are bounded; control characters are no text."""
    with pytest.raises(ValidationError):
        line(**{field: refused})


def test_an_unknown_field_is_refused() -> None:
    """A misspelt CustomerId must not become a row without a customer."""
    with pytest.raises(ValidationError):
        line(CustomerId="17850")


@pytest.mark.parametrize("field", sorted(set(row()) - {"Description", "CustomerID"}))
def test_a_missing_field_is_refused(field: str) -> None:
    """Only description and customer may be left out."""
    with pytest.raises(ValidationError):
        Line.model_validate_json(json.dumps(without(field)))


def test_a_line_break_inside_a_description_is_kept() -> None:
    """A quoted CSV field may span lines."""
    assert line(Description=" two\r\nlines ").Description == " two\r\nlines "
