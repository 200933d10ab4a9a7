"""Rows that take a line back or restate it: what holds depends on what was stated, and not on how it arrived."""

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.errors import RowError
from invoices.fields import RULES
from invoices.invoice import invoice_of
from invoices.line import Line
from invoices.rows import read_ndjson
from tests.invoice_rows import ndjson, row
from tests.invoices.strategies import cut, statements

NINE = "2026-11-26T09:00:00Z"
TEN = "2026-11-26T10:00:00Z"


def what_holds(rows: Sequence[Line]) -> set[tuple[str, int | None]]:
    """The rule in plain words: the latest statement, none being the earliest, and at one instant the withdrawal."""
    held: dict[tuple[str, int | None], bool] = {}
    latest: dict[tuple[str, int | None], datetime] = {}
    for each in rows:
        name = each.StockCode, each.Occurrence
        stated = datetime.fromisoformat(each.AsOf) if each.AsOf else datetime.min.replace(tzinfo=UTC)
        if name not in latest or stated > latest[name]:
            latest[name], held[name] = stated, not each.Withdrawn
        elif stated == latest[name]:
            held[name] = held[name] and not each.Withdrawn
    return {name for name, is_held in held.items() if is_held}


@given(st.lists(statements(), max_size=10), st.randoms(), st.integers(1, 4))
def test_what_holds_depends_on_the_statements_alone(rows: list[Line], random: Random, size: int) -> None:
    """Every order, every batch size and every redelivery gives what the plain rule gives."""
    shuffled = rows * 2
    random.shuffle(shuffled)
    slices = [
        each for start in range(0, len(shuffled), size) for each in cut(shuffled[start : start + size], str(start))
    ]
    stored = {(each.invoice_no, each.slice_id): each for each in slices}
    invoice = invoice_of("536365", stored.values())
    held = {(line.StockCode, line.Occurrence) for line in invoice.lines.values()}
    everything = {(line.StockCode, line.Occurrence) for line in rows}
    taken_back = {(line.StockCode, line.Occurrence) for line in invoice.withdrawn.values()}
    assert (held, taken_back) == (what_holds(rows), everything - what_holds(rows))


@given(st.lists(statements(), min_size=1, max_size=4))
def test_a_statement_overwrites_no_slice_that_says_something_else(rows: list[Line]) -> None:
    """Slices are stored by their id, so the same id must mean the same statements."""
    by_id: dict[str, object] = {}
    for each in rows:
        (invoice_slice,) = cut([each])
        assert by_id.setdefault(invoice_slice.slice_id, invoice_slice.lines) == invoice_slice.lines


def test_an_ordinary_line_has_the_slice_id_that_it_always_had() -> None:
    """Slices that are stored already must be found again."""
    (invoice_slice,) = cut([Line.model_validate(row(Occurrence=1))])
    assert invoice_slice.slice_id == "3770f8c2227b712c7eae9b94"


def test_an_instant_is_kept_in_utc() -> None:
    """All have one length, so that their texts sort by time."""
    line = Line.model_validate(row(Occurrence=1, AsOf="2026-11-26T11:00:00.5+02:00"))
    assert line.AsOf == "2026-11-26T09:00:00.500000Z"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("AsOf", "2026-11-26T09:00:00"),
        ("AsOf", "2026-11-26"),
        ("AsOf", "11/26/2026 9:00"),
        ("AsOf", ""),
        ("AsOf", 1_795_683_600),
        ("Withdrawn", "true"),
        ("Withdrawn", 1),
    ],
)
def test_a_statement_that_nobody_can_order_is_rejected(field: str, value: object) -> None:
    """An instant needs its zone, and nothing but true takes a line back."""
    rows = read_ndjson(ndjson([row(Occurrence=1, **{field: value})]))
    assert rows.errors == [RowError(0, field, RULES[field])]


@pytest.mark.parametrize(("field", "value"), [("AsOf", NINE), ("Withdrawn", True)])
def test_a_statement_without_occurrence_is_about_a_line_of_its_batch(field: str, value: object) -> None:
    """The API refuses it, because a sender who forgets Occurrence would state something about no line."""
    rows = read_ndjson(ndjson([row(**{field: value}), row(Occurrence=1, **{field: value}), row()]))
    assert (rows.errors, [line.is_about_own_batch for line in rows.lines]) == ([], [True, False, False])


def test_a_line_without_occurrence_is_taken_back_under_its_batch_id_alone() -> None:
    """The n-th of equal rows takes back the n-th of equal rows, and no line of another batch."""
    sent = [Line.model_validate(row())] * 3
    slices = [*cut(sent, "x"), *cut(sent, "y"), *cut([Line.model_validate(row(AsOf=NINE, Withdrawn=True))] * 2, "x")]
    invoice = invoice_of("536365", slices)
    assert (len(invoice.lines), len(invoice.withdrawn)) == (4, 2)


@pytest.mark.parametrize("nothing", [{"AsOf": None}, {"Withdrawn": False}, {"Withdrawn": None}])
def test_a_row_that_states_nothing_is_an_ordinary_row(nothing: dict[str, object]) -> None:
    """It needs no Occurrence, and no right to correct."""
    rows = read_ndjson(ndjson([row(**nothing)]))
    assert (rows.errors, rows.are_ordinary) == ([], True)


@pytest.mark.parametrize("statement", [{"AsOf": NINE}, {"Withdrawn": True}])
def test_a_row_that_states_something_is_told_from_ordinary_rows(statement: dict[str, object]) -> None:
    """One such row among others is enough."""
    rows = read_ndjson(ndjson([row(Occurrence=1), row(Occurrence=1, **statement)]))
    assert (rows.errors, rows.are_ordinary) == ([], False)


def test_a_correction_can_be_corrected() -> None:
    """Taken back at nine and stated again at ten: the line holds."""
    lines = [Line.model_validate(row(Occurrence=1, **each)) for each in ({}, {"AsOf": NINE, "Withdrawn": True})]
    again = Line.model_validate(row(Occurrence=1, AsOf=TEN))
    assert len(invoice_of("536365", cut([again, *lines])).lines) == 1
