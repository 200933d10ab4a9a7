"""What was set aside is stored under its own identity, once, however often it is redriven."""

from collections.abc import Sequence

import pytest

from aws.bucket import DeadLetter, DeadLetterStore
from consumers.archive import Archive
from consumers.batch_loop import Record
from consumers.index import Index
from invoices.batch import pack
from invoices.errors import Throttled
from invoices.line import line_id
from invoices.rows import Rows
from pipeline_ops.dead_letters import RedrivenDocument, create_redriven, read_redriven
from pipeline_ops.errors import OpsError
from pipeline_ops.options import Stores
from pipeline_ops.redrive import Fix, Redrive, RedriveResult
from pipeline_ops.verify.command import Scope, verify
from tests.invoice_rows import ndjson, row
from tests.pipeline_ops.stores import (
    BATCH,
    NO_BAR,
    RAW_KEY,
    deliver,
    index_of,
    keys,
    send,
    stored_ids,
    stored_lines,
    tables,
)

pytestmark = pytest.mark.slow

SIX = Fix({"Quantity": "6"})


def redrive(stores: Stores, key: str, fix: Fix = SIX, *, dry_run: bool = False) -> RedriveResult:
    return Redrive(stores.bucket, index_of(stores)).run(key, fix, dry_run=dry_run)


@pytest.fixture
def key(stores: Stores) -> str:
    """Of a document with the second and the fourth row of a batch; the first and third are stored."""
    send(stores, [row(), row(Quantity="six"), row(InvoiceNo="9"), row(Quantity="?", UnitPrice="?")])
    (only,) = keys(stores, "failed/")
    return only


def test_a_fixed_row_has_the_id_that_it_has_in_the_mended_batch(stores: Stores, key: str) -> None:
    """It equals the first row, so it is the second of them; the mended batch, sent whole, adds only its last row."""
    redrive(stores, key)
    (line,) = (line for line in stored_lines(stores) if line.InvoiceNo == "9")
    first = line.model_copy(update={"InvoiceNo": "536365"})
    assert set(stored_ids(stores)) == {line_id(first, BATCH, 1), line_id(first, BATCH, 2), line_id(line, BATCH, 1)}
    send(stores, [row(), row(), row(InvoiceNo="9"), row(Quantity="7")])
    assert len(set(stored_ids(stores))) == 4


def test_rows_of_two_redrives_of_one_batch_are_told_apart(stores: Stores, key: str) -> None:
    """The second redrive counts the rows of the first."""
    redrive(stores, key)
    (left,) = keys(stores, "failed/")
    redrive(stores, left, Fix({"Quantity": "6", "UnitPrice": "2.55"}))
    assert len(set(stored_ids(stores))) == 4
    assert verify(stores, Scope(), NO_BAR).findings.is_clean


def test_a_row_that_is_still_invalid_stays_set_aside(stores: Stores, key: str) -> None:
    """As it came, with its reason and its place; the others are done."""
    result = redrive(stores, key)
    assert (result.rows, [(error.index, error.field) for error in result.errors]) == (1, [(3, "UnitPrice")])
    (left,) = keys(stores, "failed/")
    assert left != key
    assert redrive(stores, left, Fix({"Quantity": "6", "UnitPrice": "1"})).rows == 1
    assert (keys(stores, "failed/"), len(keys(stores, "failed-redriven/"))) == ([], 2)


def test_a_row_that_becomes_a_statement_without_occurrence_stays_set_aside(stores: Stores, key: str) -> None:
    """It would be about no line. Only a record that takes a whole batch back has such rows."""
    result = redrive(stores, key, Fix({"Quantity": "6", "UnitPrice": "2.55", "Withdrawn": True}))
    assert (result.rows, [(error.index, error.field) for error in result.errors]) == (
        0,
        [(1, "Withdrawn"), (3, "Withdrawn")],
    )
    assert keys(stores, "failed/") == [key]


def test_nothing_doubled_and_nothing_missing_afterwards(stores: Stores, key: str) -> None:
    """The archive holds the batch once; the redriven rows belong to it."""
    redrive(stores, key)
    report = verify(stores, Scope(), NO_BAR)
    assert (report.findings.kept, report.raw_objects, report.redriven, report.lines) == ([], 1, 1, 3)


def test_a_second_redrive_changes_nothing(stores: Stores, key: str) -> None:
    """Not even with other values."""
    redrive(stores, key)
    before = tables(stores), keys(stores)
    result = redrive(stores, key, Fix({"Quantity": "7"}))
    assert (result.was_done_before, tables(stores), keys(stores)) == (True, before[0], before[1])


def test_the_first_values_hold_when_the_record_is_delivered_again(stores: Stores, key: str) -> None:
    """Redelivery brings the document back; its rows are in the tables already, as they were fixed."""
    redrive(stores, key)
    before = tables(stores), keys(stores)
    send(stores, [row(), row(Quantity="six"), row(InvoiceNo="9"), row(Quantity="?", UnitPrice="?")])
    assert redrive(stores, key, Fix({"Quantity": "7"})).was_done_before
    assert (tables(stores), keys(stores)) == before


class _BreaksOnce(Index):
    """DynamoDB fails at the first call."""

    broken = True

    def store(self, rows: Rows, batch_id: str, numbers: Sequence[int] | None = None) -> None:
        if self.broken:
            self.broken = False
            raise Throttled("DynamoDB asks to slow down")
        super().store(rows, batch_id, numbers)


def test_it_goes_on_where_it_broke_off(stores: Stores, key: str) -> None:
    """With the values that were decided on, not with those of the second call."""
    broken = Redrive(stores.bucket, _BreaksOnce(stores.dynamodb, "invoices", "customers"))
    with pytest.raises(Throttled):
        broken.run(key, SIX)
    assert key in keys(stores)
    result = broken.run(key, Fix({"Quantity": "7"}))
    assert (result.rows, result.was_done_before, {error.index for error in result.errors}) == (1, True, {3})
    assert (sorted(line.Quantity for line in stored_lines(stores)), key in keys(stores)) == ([6, 6, 6], False)


def test_a_row_that_still_fails_is_refused(stores: Stores, key: str) -> None:
    """With its reason, and nothing is written."""
    before = tables(stores), keys(stores)
    result = redrive(stores, key, Fix({"Quantity": "seven"}))
    assert result.rejected == "no row of it is an invoice line"
    assert [(error.index, error.field) for error in result.errors] == [
        (1, "Quantity"),
        (3, "Quantity"),
        (3, "UnitPrice"),
    ]
    assert (tables(stores), keys(stores)) == before


def test_a_dry_run_writes_nothing(stores: Stores, key: str) -> None:
    """It says what would be done."""
    before = tables(stores), keys(stores)
    result = redrive(stores, key, dry_run=True)
    assert (result.rows, tables(stores), keys(stores)) == (1, before[0], before[1])


def test_only_the_rows_chosen(stores: Stores, key: str) -> None:
    """Two rows may need two values."""
    both = {"Quantity": "6", "UnitPrice": "1"}
    redrive(stores, key, Fix(both, frozenset({3})))
    (left,) = keys(stores, "failed/")
    assert redrive(stores, left, Fix({"Quantity": "5"})).rows == 1
    assert sorted((line.Quantity, str(line.UnitPrice)) for line in stored_lines(stores)) == [
        (5, "2.55"),
        (6, "1"),
        (6, "2.55"),
        (6, "2.55"),
    ]


def test_two_rows_that_become_equal_are_two_lines(stores: Stores) -> None:
    """Each was the first with its content; fixed, both would be the first with the same."""
    send(stores, [row(Occurrence=1), row(Occurrence=1, Quantity="six"), row(Occurrence=1, Quantity="half a dozen")])
    redrive(stores, keys(stores, "failed/")[0])
    assert [line.Quantity for line in stored_lines(stores)] == [6, 6, 6]


def test_a_record_that_was_set_aside_whole(stores: Stores) -> None:
    """A mended consumer can read it now: it makes the very items that it would have made then."""
    rows = [row(), row(InvoiceNo="9")]
    _keep(stores, "to_dynamodb", pack(ndjson(rows)))
    redrive(stores, keys(stores, "failed/")[0], Fix())
    redriven = tables(stores)
    send(stores, rows)
    assert tables(stores) == redriven


def test_a_record_that_was_not_archived(stores: Stores) -> None:
    """It becomes the batch's raw object, once."""
    _keep(stores, "to_s3", pack(ndjson([row()])))
    (key,) = keys(stores)
    assert [redrive(stores, key, Fix()).was_done_before for _ in range(2)] == [False, True]
    assert (len(keys(stores, "raw/")), keys(stores, "failed/")) == (1, [])


def _keep(stores: Stores, stage: str, payload: bytes) -> None:
    DeadLetterStore(stores.bucket, stage).put(BATCH, "1", DeadLetter(payload, "a defect of ours"))


def test_poison_stays_where_it_is(stores: Stores) -> None:
    """No value helps a record that cannot be read; both stages say why."""
    deliver(stores, b"poison")
    both = keys(stores, "failed/")
    reasons = [redrive(stores, key, Fix()).rejected for key in both]
    assert reasons == ["the bytes are not valid gzip", "the record is not gzip"]
    assert keys(stores) == both


def test_a_name_that_is_no_batch_id_stays_where_it_is(stores: Stores) -> None:
    """Its rows would be stored under a name that no answer ever gave."""
    deliver(stores, pack(ndjson([row()])), batch_id="../../etc")
    reasons = {redrive(stores, key, Fix()).rejected for key in keys(stores, "failed/")}
    assert {str(reason)[:10] for reason in reasons} == {"a batch id"}


def test_values_are_for_rows(stores: Stores) -> None:
    """The archive keeps a record as it came."""
    deliver(stores, b"poison")
    with pytest.raises(OpsError, match="the archive stores a record without changes"):
        redrive(stores, keys(stores, "failed/to_s3")[0])


def test_no_such_key(stores: Stores) -> None:
    """One sentence names it."""
    with pytest.raises(OpsError, match=r"There is no failed/x\.json"):
        redrive(stores, "failed/x.json")


def test_no_such_document(stores: Stores) -> None:
    """Anything may lie in a bucket."""
    stores.bucket.create("failed/x.json", b"{}", "application/json")
    with pytest.raises(OpsError, match="is not a dead letter"):
        redrive(stores, "failed/x.json")


def test_of_two_decisions_the_first_holds(stores: Stores) -> None:
    """Two people may redrive one record at a time."""
    first, second = (RedrivenDocument("x", "b", "1", reason, (), "", rows=()) for reason in ("one", "two"))
    assert [create_redriven(stores.bucket, "failed-redriven/x", each) for each in (first, second)] == [True, False]
    assert read_redriven(stores.bucket, "failed-redriven/x") == first


def test_a_row_that_is_valid_by_newer_rules_has_its_number(stores: Stores) -> None:
    """The raw object has it, and the tables do not: it is the first of its content."""
    send(stores, [row()])
    stores.bucket.delete(RAW_KEY)
    Archive(stores.bucket).add(Record(BATCH, "1", pack(ndjson([row(), row(InvoiceNo="9")]))))
    dead_letters = DeadLetterStore(stores.bucket, "to_dynamodb")
    dead_letters.put(BATCH, "1", DeadLetter(pack(ndjson([row(InvoiceNo="9")])), "an older rule", ()))
    redrive(stores, keys(stores, "failed/")[0], Fix())
    assert verify(stores, Scope(), NO_BAR).findings.is_clean
    send(stores, [row(), row(InvoiceNo="9")])
    assert len(set(stored_ids(stores))) == 2
