"""`--set Field=value` on a refused row."""

import json

import pytest
from hypothesis import given

from invoices.line import Line
from pipeline_ops.dead_letters import NumberedRow, validated_rows
from pipeline_ops.errors import OpsError
from pipeline_ops.redrive import parse_fix
from tests.invoice_rows import ndjson, row
from tests.invoices.strategies import lines


def fixed(text: bytes, *assignments: str) -> dict[str, object]:
    after = parse_fix(assignments, []).apply(NumberedRow(7, text))
    return dict(json.loads(after.text))


def test_a_field_is_set() -> None:
    """Also one that was not there; the other fields stay."""
    given_row = ndjson([row(Quantity="six", Country="EIRE")])
    assert fixed(given_row, "Quantity=6", "CustomerID=") == row(Quantity="6", Country="EIRE", CustomerID="")


def test_a_changed_row_loses_its_occurrence() -> None:
    """It said: the n-th row with the old content. With the new content it could fall onto another row."""
    assert "Occurrence" not in fixed(ndjson([row(Occurrence=1, Quantity="six")]), "Quantity=6")


@pytest.mark.parametrize("statement", [{"AsOf": "2026-11-26T09:00:00Z"}, {"Withdrawn": True}])
def test_a_changed_statement_keeps_its_occurrence(statement: dict[str, object]) -> None:
    """It is about the line that has the new content; without Occurrence it would be about none."""
    assert fixed(ndjson([row(Occurrence=2, Quantity="six", **statement)]), "Quantity=6")["Occurrence"] == 2


def test_a_row_can_be_made_a_withdrawal() -> None:
    """`true` on the command line is JSON's true."""
    assert fixed(ndjson([row(Occurrence=1)]), "Withdrawn=true") == row(Occurrence=1, Withdrawn=True)


def test_an_unchanged_row_keeps_its_occurrence() -> None:
    """Setting what is there already is no change."""
    assert fixed(ndjson([row(Occurrence=2, Quantity="6")]), "Quantity=6")["Occurrence"] == 2


def test_an_occurrence_can_be_set() -> None:
    """By who knows which of the equal rows it is."""
    assert fixed(ndjson([row(Occurrence=1, Quantity="six")]), "Quantity=6", "Occurrence=3")["Occurrence"] == 3


@pytest.mark.parametrize(("assignment", "valid"), [("Quantity=6", True), ("Country=EIRE", False)])
def test_a_field_named_twice_stays_so_unless_it_is_set(assignment: str, valid: bool) -> None:  # noqa: FBT001 - a case
    """Nobody but the user can say which of the two values is meant."""
    twice = ndjson([row()]).replace(b"{", b'{"Quantity": 5, ')
    rows = validated_rows([parse_fix([assignment], []).apply(NumberedRow(0, twice))])
    assert bool(rows.lines) == valid


@pytest.mark.parametrize("text", [b"[]", b"{", b'"x"', b"\xff"])
def test_what_is_no_object_stays_as_it_is(text: bytes) -> None:
    """The check says what is wrong with it."""
    assert parse_fix(["Quantity=6"], []).apply(NumberedRow(0, text)).text == text


@given(lines())
def test_without_values_nothing_changes(line: Line) -> None:
    """A redrive after a mended consumer stores a row as it came."""
    text = line.model_dump_json().encode()
    assert parse_fix([], []).apply(NumberedRow(0, text)).text == text


@given(lines())
def test_setting_a_field_changes_no_other(line: Line) -> None:
    """Whatever they hold."""
    text = line.model_dump_json().encode()
    (after,) = validated_rows([parse_fix(["Country=Malta"], []).apply(NumberedRow(0, text))]).lines
    assert after == line.model_copy(update={"Country": "Malta", "Occurrence": None})


@pytest.mark.parametrize("assignment", ["Quantity", "Price=6", "=6"])
def test_no_such_field(assignment: str) -> None:
    """The answer lists those that there are."""
    with pytest.raises(OpsError, match="InvoiceNo, StockCode"):
        parse_fix([assignment], [])
