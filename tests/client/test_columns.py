"""The client's normal form is the API's."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from client.columns import COLUMNS, NORMAL_FORMS, Column, json_texts, normal_columns, normal_price
from client.dates import normal_date
from client.repeats import row_hashes
from invoices.line import Line, content
from tests.client.run_client import row

_DIGITS = st.text(st.sampled_from("0123456789"), min_size=1, max_size=11)
_SIGNS = st.sampled_from(["", "-", "+"])
_NUMBERS = st.builds(
    "{}{}{}{}".format, _SIGNS, _DIGITS, st.sampled_from(["", "."]), st.just("0") | _DIGITS | st.just("")
)
_DATES = st.from_regex(
    r"\A[01]?[0-9]/[0-3]?[0-9]/(2010|0001|9999)( [0-2]?[0-9]:[0-5][0-9](:[0-6][0-9])?( ?[AaPp][Mm])?)?\Z"
    r"|\A(2010|0001|9999)-(0[1-9]|1[0-3])-[0-3][0-9]([T ][0-2][0-9]:[0-6][0-9](:[0-9]{2}(\.[0-9]{1,7})?)?"
    r"(Z|[+-][0-2][0-9]:?[0-9]{2})?)?\Z"
)
_OTHERS = st.text(max_size=8) | st.text(st.characters(codec="ascii"), max_size=41) | st.sampled_from(["٣", "1\n", "C1"])
_VALUES = st.one_of(_NUMBERS, _DATES, _OTHERS)
_ROWS = st.fixed_dictionaries(
    {name: st.one_of(st.just(value), _VALUES) for name, value in zip(COLUMNS, row(), strict=True)}
)


def _line(fields: Mapping[str, str]) -> Line | None:
    try:
        return Line.model_validate(fields)
    except ValidationError:
        return None


def _normal(fields: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(NORMAL_FORMS[name](fields[name]) if name in NORMAL_FORMS else fields[name] for name in COLUMNS)


def _columns(*rows: Mapping[str, str]) -> Mapping[str, Column]:
    codes = np.arange(len(rows))
    return normal_columns({name: Column(codes, [each[name] for each in rows]) for name in COLUMNS})


@pytest.mark.parametrize("name", COLUMNS)
@given(value=_VALUES)
def test_a_text_that_the_api_takes_gets_its_normal_form(name: str, value: str) -> None:
    """Column by column: so a row has one identity, however it was written."""
    fields = dict(zip(COLUMNS, row(**{name: value}), strict=True))
    line = _line(fields)
    assert line is None or _normal(fields) == content(line)


@pytest.mark.parametrize("name", COLUMNS)
@given(value=_VALUES)
def test_what_is_sent_means_what_the_file_says(name: str, value: str) -> None:
    """The API takes the row that is sent exactly if it takes the row of the file, and makes the same line of it."""
    fields = dict(zip(COLUMNS, row(**{name: value}), strict=True))
    sent = b"".join(json_texts(_columns(fields), np.array([1])))
    try:
        line = Line.model_validate_json(sent)
    except ValidationError:
        line = None
    file_line = _line(fields)
    assert line == (file_line and file_line.model_copy(update={"Occurrence": 1}))


@given(_ROWS, _ROWS)
@example(dict(zip(COLUMNS, row(UnitPrice="2.5"), strict=True)), dict(zip(COLUMNS, row(UnitPrice="2.50"), strict=True)))
@example(dict(zip(COLUMNS, row(CustomerID=""), strict=True)), dict(zip(COLUMNS, row(Description=""), strict=True)))
def test_rows_repeat_exactly_if_the_api_sees_one_content(one: dict[str, str], other: dict[str, str]) -> None:
    """Rows get equal hashes if and only if their lines have equal content."""
    lines = _line(one), _line(other)
    hashes = row_hashes(_columns(one, other))
    if lines[0] and lines[1]:
        same_bits = [bool(bits[0] == bits[1]) for bits in hashes]
        assert same_bits == [content(lines[0]) == content(lines[1])] * 2


@given(_ROWS)
def test_the_normal_form_is_its_own(fields: dict[str, str]) -> None:
    """Made twice, nothing changes."""
    once = dict(zip(COLUMNS, _normal(fields), strict=True))
    assert _normal(once) == tuple(once.values())


@pytest.mark.parametrize(
    ("text", "normal"),
    [("2.50", "2.5"), ("100", "100"), ("-0.00", "0"), ("-11062.06", "-11062.06"), ("1e3", "1e3"), ("", "")],
)
def test_prices(text: str, normal: str) -> None:
    """Plain digits; what is no price stays for the API to refuse."""
    assert normal_price(text) == normal


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("12/1/2010 8:26", "2010-12-01T08:26:00"),
        ("2010-12-01 08:26", "2010-12-01T08:26:00"),
        ("2010-12-01T08:26:00+02:00", "2010-12-01T06:26:00Z"),
        ("13/1/2010 8:26", "13/1/2010 8:26"),
        ("12/1/2010", "2010-12-01T00:00:00"),
        ("2010-12-01", "2010-12-01T00:00:00"),
        ("12/1/2010 8:26 AM", "2010-12-01T08:26:00"),
        ("12/1/2010 12:05 am", "2010-12-01T00:05:00"),
        ("12/1/2010 12:05:30PM", "2010-12-01T12:05:30"),
        ("12/1/2010 13:05 PM", "12/1/2010 13:05 PM"),
        ("0001-01-01T00:00+14:00", "0001-01-01T00:00+14:00"),
    ],
)
def test_dates(text: str, normal: str) -> None:
    """Month first, or ISO; what is no date stays."""
    assert normal_date(text) == normal
