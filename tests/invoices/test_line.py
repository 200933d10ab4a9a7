"""What the fields of a line accept and reject, the normal form that they keep, and the id of a line."""

import json
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from invoices.line import Line, content, line_id, numbers_in_batch
from invoices.money import money_text
from tests.invoice_rows import row, without
from tests.invoices.strategies import lines


def line(**changes: object) -> Line:
    return Line.model_validate_json(json.dumps(row(**changes)))


@pytest.mark.parametrize("given", [17850, 17850.0, "17850", "17850.0"])
@pytest.mark.parametrize("field", ["InvoiceNo", "CustomerID"])
def test_an_id_becomes_text(field: str, given: object) -> None:
    """pandas writes an id as 17850.0 if a row of its column is empty."""
    assert getattr(line(**{field: given}), field) == "17850"


@pytest.mark.parametrize("given", [2, 2.0])
def test_an_occurrence_becomes_a_whole_number(given: object) -> None:
    """JSON has one type for 2 and 2.0."""
    assert line(Occurrence=given).Occurrence == 2


@pytest.mark.parametrize("invoice_no", ["C536379", "A563185", "abc_1-2"])
def test_an_invoice_number_may_have_letters(invoice_no: str) -> None:
    """Cancellations start with `C`, adjustments with `A`."""
    assert line(InvoiceNo=invoice_no).InvoiceNo == invoice_no


@pytest.mark.parametrize("code", ["POST", "D", "BANK CHARGES", "gift_0001_40", "47503J ", "InvoiceNo", "22 / 7"])
def test_a_stock_code_is_kept_unchanged(code: str) -> None:
    """Codes have letters, lower case and blanks, and one may be the name of a column."""
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
        ("12/1/2010", "2010-12-01T00:00:00"),
        ("2010-12-01", "2010-12-01T00:00:00"),
        ("12/1/2010 8:26 PM", "2010-12-01T20:26:00"),
        ("12/1/2010 12:26am", "2010-12-01T00:26:00"),
    ],
)
def test_a_date_becomes_iso_8601(given: str, kept: str) -> None:
    """Two texts of the same time become one text."""
    assert line(InvoiceDate=given).InvoiceDate == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [("2.55", "2.55"), ("2.550", "2.55"), (2.55, "2.55"), (3, "3.00"), ("0", "0.00"), ("-0.0", "0.00")]
    + [("-11062.06", "-11062.06"), ("0.001", "0.001"), (38970, "38970.00"), ("123456789.123456", "123456789.123456")],
)
def test_a_price_is_exact(given: object, kept: str) -> None:
    """A price becomes a Decimal and never a float."""
    price = line(UnitPrice=given).UnitPrice
    assert (type(price), money_text(price)) == (Decimal, kept)


@pytest.mark.parametrize(("given", "kept"), [(6, 6), (6.0, 6), ("6", 6), ("-80995", -80995), ("6.0", 6)])
def test_a_quantity_is_a_whole_number(given: object, kept: int) -> None:
    """Text and whole floats are accepted too."""
    assert line(Quantity=given).Quantity == kept


@pytest.mark.parametrize("field", ["Description", "CustomerID"])
@pytest.mark.parametrize("given", ["", None])
def test_empty_text_becomes_none(field: str, given: object) -> None:
    """A CSV cannot tell the two apart."""
    assert getattr(line(**{field: given}), field) is None


INVALID_IN_EVERY_FIELD: list[object] = [True, [], {}, "x" * 2**20]


@pytest.mark.parametrize(
    ("field", "invalid"),
    [(field, value) for field in row() for value in INVALID_IN_EVERY_FIELD]
    + [(field, value) for field in ("InvoiceNo", "CustomerID") for value in (1.5, -1, "a b", "a#b", "a/b", "..", "ä")]
    + [("InvoiceNo", value) for value in ("", None, "x" * 41)]
    + [("StockCode", value) for value in ("", None, "a\nb", "a\x00b", "x" * 61)]
    + [("Description", value) for value in ("a\x00b", "a\x85b", "\u202eb", "\u2066b", "\ud800", "x" * 501, 5)]
    + [("Quantity", value) for value in ("", None, 1.5, "1.5", "1e3", "+1", " 1", 10**9, float("nan"))]
    + [("UnitPrice", value) for value in ("", None, "NaN", "Infinity", "1e3", "1_0", " 1", "0.1234567", 10**9)]
    + [("UnitPrice", value) for value in (float("nan"), float("inf"), "\u0661", "1,5")]
    + [
        ("InvoiceDate", value)
        for value in ("", None, 5, "13/1/2010 8:26", "2/30/2010 8:26", "12/1/2010 13:00 PM", "today")
    ]
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
    + [("Country", value) for value in ("", None, "a\tb", "a\x9fb", "\u200fb")]
    + [("Occurrence", value) for value in (0, -1, "1", 1.5, True, 10**9, 1e9)],
)
def test_an_invalid_value_is_rejected(field: str, invalid: object) -> None:
    """Booleans, NaN and infinities are no numbers; texts have a maximum length and no control characters."""
    with pytest.raises(ValidationError):
        line(**{field: invalid})


def test_an_unknown_field_is_rejected() -> None:
    """A misspelt CustomerId must not become a row without a customer."""
    with pytest.raises(ValidationError):
        line(CustomerId="17850")


@pytest.mark.parametrize("field", sorted(set(row()) - {"Description", "CustomerID"}))
def test_a_missing_field_is_rejected(field: str) -> None:
    """Only Description, CustomerID and Occurrence may be missing."""
    with pytest.raises(ValidationError):
        Line.model_validate_json(json.dumps(without(field)))


def test_a_line_break_inside_a_description_is_kept() -> None:
    """A quoted CSV field may contain line breaks."""
    assert line(Description=" two\r\nlines ").Description == " two\r\nlines "


numbered = lines(st.integers(1, 3))
unnumbered = lines(st.none())


@given(numbered, st.text(), st.integers(0, 9999))
def test_with_occurrence_the_batch_does_not_matter(line: Line, batch: str, index: int) -> None:
    """So a file that is sent again in any batches adds no lines."""
    assert line_id(line, batch, index) == line_id(line, "another", 0)


@given(numbered, numbered)
def test_with_occurrence_ids_are_equal_if_and_only_if_content_and_occurrence_are(one: Line, two: Line) -> None:
    """Rows that repeat within a file have different occurrences, so all of them are kept."""
    same = (content(one), one.Occurrence) == (content(two), two.Occurrence)
    assert (line_id(one, "batch", 0) == line_id(two, "batch", 1)) == same


@given(unnumbered)
def test_without_occurrence_every_row_of_a_batch_is_a_line_of_its_own(line: Line) -> None:
    """Another batch or another number in it makes another line; a redelivery does not."""
    ids = [line_id(line, "a", 1), line_id(line, "a", 2), line_id(line, "b", 1), line_id(line, "a", 1)]
    assert (len(set(ids)), ids[0] == ids[3]) == (3, True)


def ids_of_batch(batch: list[Line]) -> set[str]:
    return {line_id(line, "a", number) for line, number in zip(batch, numbers_in_batch(batch), strict=True)}


@given(st.lists(lines(), max_size=12), st.randoms())
def test_a_batch_has_the_same_lines_in_any_order(batch: list[Line], random: Random) -> None:
    """Rows are known by their content and their number among equal rows, not by their place."""
    shuffled = list(batch)
    random.shuffle(shuffled)
    assert ids_of_batch(shuffled) == ids_of_batch(batch)


@given(st.lists(lines(), max_size=12), st.integers(0, 11))
def test_a_mended_batch_has_the_lines_that_it_had_before(batch: list[Line], rejected: int) -> None:
    """A row that was rejected at first adds itself and changes no other row."""
    before = batch[:rejected] + batch[rejected + 1 :]
    assert ids_of_batch(before) <= ids_of_batch(batch)
    assert len(ids_of_batch(batch)) - len(ids_of_batch(before)) <= 1
