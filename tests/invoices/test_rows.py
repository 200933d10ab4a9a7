"""Reading a batch: each row becomes a line or an error that names it."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.errors import RowError, TooLarge
from invoices.limits import MAX_ERRORS_PER_ROW, MAX_ROW_BYTES, MAX_ROWS
from invoices.line import Line
from invoices.rows import lines_if_all_valid, read_ndjson, split_ndjson
from tests.invoice_rows import ndjson, row, without


def errors_of(*texts: bytes) -> list[RowError]:
    return read_ndjson(b"\n".join(texts)).errors


def test_the_fast_path_reads_valid_rows() -> None:
    """Its lines are those of the slow path."""
    texts = [ndjson([each]) for each in (row(), row(Quantity=7), row(StockCode="POST"))]
    assert lines_if_all_valid(texts) == [Line.model_validate_json(text) for text in texts]


@given(st.lists(st.sampled_from(["good", "bad", "blank", "broken"]), max_size=12))
def test_every_row_is_a_line_or_an_error(kinds: list[str]) -> None:
    """No row is both or neither; blank lines do not count."""
    texts = {"good": ndjson([row()]), "bad": ndjson([row(Quantity="x")]), "blank": b" ", "broken": b'{"a'}
    rows = read_ndjson(b"\n".join(texts[kind] for kind in kinds))
    counted = [kind for kind in kinds if kind != "blank"]
    assert list(rows.indexes) == [i for i, kind in enumerate(counted) if kind == "good"]
    assert [error.index for error in rows.errors] == [i for i, kind in enumerate(counted) if kind != "good"]


def test_rows_of_a_large_batch_keep_their_indexes() -> None:
    """An index counts from the first row of the batch, not of its chunk."""
    bad = [0, 249, 250, 251, 599]
    rows = read_ndjson(ndjson([row(Quantity="x" if number in bad else number) for number in range(600)]))
    assert [error.index for error in rows.errors] == bad
    assert [line.Quantity for line in rows.lines] == list(rows.indexes) == sorted({*range(600)} - {*bad})


def test_an_error_names_row_and_field_and_rule() -> None:
    """It does not show the value."""
    (error,) = errors_of(ndjson([row()]), ndjson([row(UnitPrice="secret")]))
    assert (error.index, error.field) == (1, "UnitPrice")
    assert error.message.startswith("must be a decimal number")


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        (json.dumps(without("Country")).encode(), "Country", "is missing"),
        (ndjson([row(CustomerId="1")]), "CustomerId", "is not a known field (did you mean CustomerID?)"),
        (ndjson([row(unitprice="1")]), "unitprice", "is not a known field (did you mean UnitPrice?)"),
        (ndjson([row(JaneDoe="1")]), None, "has a field that the API does not know"),
        (ndjson([row(**{"<b>": "1"})]), None, "has a field that the API does not know"),
        (ndjson([row()])[:-1], None, "is not valid JSON (or not UTF-8)"),
        (b'{"InvoiceNo":"1\xff"}', None, "is not valid JSON (or not UTF-8)"),
        (b"[" * 5000, None, "must be a JSON object with the fields of an invoice row"),
        (ndjson([row(customer_id="1")]), "customer_id", "is not a known field (did you mean CustomerID?)"),
        (ndjson([row(**{"Unit Price": "1"})]), "Unit Price", "is not a known field (did you mean UnitPrice?)"),
        (b"5", None, "must be a JSON object with the fields of an invoice row"),
    ],
)
def test_each_kind_of_error_has_its_message(text: bytes, field: str | None, message: str) -> None:
    """An unknown name is shown only if it is close to the name of a field: any other name is content of the caller."""
    assert errors_of(text) == [RowError(0, field, message)]


@pytest.mark.parametrize("repeat", [b'{"Quantity":5,', b'{"Quantity" : 5, ', b'{"Quan\\u0074ity":5,'])
@pytest.mark.parametrize("rest", [[], [ndjson([row()])], [ndjson([row(Description='5": so')])]])
def test_a_field_that_is_named_twice_is_rejected(repeat: bytes, rest: list[bytes]) -> None:
    """A JSON parser would keep the last value silently."""
    assert errors_of(repeat + ndjson([row()])[1:], *rest) == [RowError(0, "Quantity", "is named twice")]


@pytest.mark.parametrize("value", ['a ":" b', '\\":', '":', ' :{"InvoiceNo":1}', "\\"])
def test_a_value_that_looks_like_a_name_is_accepted(value: str) -> None:
    """Quotes and colons in a description are text."""
    assert read_ndjson(ndjson([row(Description=value), row()])).errors == []


@pytest.mark.parametrize(
    "texts",
    [
        [b"%s,%s", b'{"InvoiceNo":"1"', b"%s"],
        [b"%s,%s", b'{"Description":"a}', b'{b"}'],
        [b"%s}\n{%s"],
    ],
)
def test_a_row_is_one_line_and_one_object(texts: list[bytes]) -> None:
    """Two objects on one line and one object over two lines do not cancel each other out."""
    good = ndjson([row()])
    filled = [text.replace(b"%s", good) for text in texts]
    assert lines_if_all_valid(filled) is None
    assert errors_of(*filled) != []


def test_a_byte_order_mark_is_ignored() -> None:
    """Some editors write one at the start of a file."""
    assert read_ndjson(b"\xef\xbb\xbf" + ndjson([row()])).errors == []


def test_a_row_has_a_limited_number_of_errors() -> None:
    """So an answer stays small, whatever is sent."""
    assert len(errors_of(b"{}")) == MAX_ERRORS_PER_ROW


def test_only_the_row_that_is_too_long_is_rejected() -> None:
    """The other rows of the batch are accepted."""
    rows = read_ndjson(ndjson([row(Description="x" * MAX_ROW_BYTES), row()]))
    assert ([error.index for error in rows.errors], list(rows.indexes)) == ([0], [1])


@pytest.mark.parametrize("good", [True, False])
def test_the_number_of_rows_is_limited(good: bool) -> None:  # noqa: FBT001 - a case, not a flag
    """One row more than MAX_ROWS rejects the batch before any row is validated."""
    text = ndjson([row() if good else {}])
    assert len(split_ndjson(b"\n".join([text] * MAX_ROWS))) == MAX_ROWS
    with pytest.raises(TooLarge, match="10,001 rows, and the limit is 10,000 rows"):
        read_ndjson(b"\n".join([text] * (MAX_ROWS + 1)))


def test_blank_lines_do_not_count_towards_the_limit() -> None:
    """Only rows count."""
    assert len(split_ndjson(b"\n\n".join([b"{}"] * MAX_ROWS) + b"\n\n")) == MAX_ROWS


@pytest.mark.parametrize(
    ("field", "number"),
    [
        ("InvoiceNo", "9007199254740993.0"),
        ("CustomerID", "9007199254740991.4"),
        ("StockCode", "1e-400"),
        ("Quantity", "1.0000000000000000001"),
        ("UnitPrice", "1e-400"),
        ("UnitPrice", "2.5500000000000000001"),
        ("UnitPrice", "1e-99999999999999999999"),
        ("Occurrence", "1.0000000000000000001"),
    ],
)
def test_a_number_that_a_float_would_change_is_rejected(field: str, number: str) -> None:
    """As text each digit counts; a JSON number goes through a binary float of some 15 digits."""
    text = ndjson([row(**{field: "@"})]).replace(b'"@"', number.encode())
    message = "is a number that a JSON parser does not keep exactly; send it as text"
    assert errors_of(text) == [RowError(0, field, message)]


def test_false_is_no_number() -> None:
    """A row may have both."""
    text = ndjson([row(UnitPrice="@", Withdrawn=False)]).replace(b'"@"', b"2.5") + b"\n{}"
    assert read_ndjson(text).indexes == [0]


@given(st.decimals(-999_999_999, 999_999_999, places=6), st.integers(0, 30))
def test_a_number_that_is_accepted_is_kept(price: Decimal, zeros: int) -> None:
    """Whatever its length: zeros at the end change nothing."""
    text = ndjson([row(UnitPrice="@")]).replace(b'"@"', f"{price:f}{'0' * zeros}".encode())
    assert [line.UnitPrice for line in read_ndjson(text).lines] == [price]


@pytest.mark.parametrize("value", ["[]", "{}", '["a"]'])
def test_a_row_of_brackets_is_rejected_unread(value: str) -> None:
    """A parser would build each one. Brackets in a description are text, and one nested value is named by its field."""
    many = b'{"Description": [%b]}' % b",".join([value.encode()] * 5_000)
    assert errors_of(many) == [RowError(0, None, "must be a JSON object with the fields of an invoice row")]
    assert read_ndjson(ndjson([row(Description='[{\\"' * 100)]) + b"\n{}").indexes == [0]
    one = ndjson([row(Quantity="@")]).replace(b'"@"', value.encode())
    assert [error.field for error in errors_of(one)] == ["Quantity"]
