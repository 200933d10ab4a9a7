"""`withdraw --batch`: every line of a batch is taken back, whatever is delivered again, late or in another order."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from invoices.batch import pack, unpack
from invoices.errors import TooLarge, Unavailable
from invoices.invoice import Slice, invoice_of, slices_of, union
from invoices.limits import MAX_BODY_BYTES, MAX_RECORD_BYTES, MAX_ROWS
from invoices.line import Line
from invoices.rows import Rows, read_ndjson
from pipeline_ops.cli import build_app
from pipeline_ops.erase.command import EraseStores, erase
from pipeline_ops.erase.statements import StatementWriter
from pipeline_ops.errors import OpsError
from pipeline_ops.options import EVERYTHING, Stores
from pipeline_ops.redrive import Fix, Redrive
from pipeline_ops.replay import ProgressFile, Replay
from pipeline_ops.verify.command import Scope, verify
from pipeline_ops.withdraw import Withdrawal, find_withdrawal, lines_of_batch, send_withdrawal, withdrawal_of
from tests.invoice_rows import Row, ndjson, row
from tests.invoices.strategies import lines
from tests.pipeline_ops.stores import BATCH, NO_BAR, RAW_KEY, deliver, index_of, items, keys, send, stored_slices
from tests.pipeline_ops.test_erase import TARGET, FakeClock, deliver_all

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

NINE = "2026-11-26T09:00:00.000000Z"
TEN = "2026-11-26T10:00:00.000000Z"
ROWS: list[Row] = [row(), row(), row(InvoiceNo="9", Description="£ 5", CustomerID=None), row(Occurrence=1)]


def find(stores: Stores, batch_id: str = BATCH) -> Withdrawal:
    return find_withdrawal(stores.bucket, stores.dynamodb, stores.invoices_table, batch_id, NO_BAR)


def withdraw(stores: Stores, as_of: str = NINE) -> list[tuple[str, bytes]]:
    """The records that the command puts on the stream, delivered."""
    records: list[tuple[str, bytes]] = []
    send_withdrawal(find(stores), as_of, lambda *record: records.append(record))
    for batch_id, data in records:
        deliver(stores, data, batch_id)
    return records


def held(stores: Stores) -> list[tuple[str, int | None]]:
    """Invoice and Occurrence of every line that counts."""
    found = union(stored_slices(stores)).values()
    return sorted(((line.InvoiceNo, line.Occurrence) for line in found if not line.Withdrawn), key=str)


Step = tuple[str, Sequence[str] | None]
"""A batch, and the stock codes of the rows that are sent as it; None where the batch is taken back."""


def what_counts(steps: Sequence[Step]) -> Counter[str]:
    """The rule in plain words: of a batch, those of its equal rows count that were sent after it was taken back."""
    sent: Counter[tuple[str, str]] = Counter()
    gone: Counter[tuple[str, str]] = Counter()
    for batch, codes in steps:
        if codes is None:
            gone |= Counter({name: count for name, count in sent.items() if name[0] == batch})
        else:
            sent |= Counter((batch, code) for code in codes)
    counts: Counter[str] = Counter()
    for (_, code), count in (sent - gone).items():
        counts[code] += count
    return counts


def cut(batch_id: str, data: bytes) -> list[Slice]:
    return slices_of(read_ndjson(unpack(data, MAX_BODY_BYTES)), batch_id)


_CODES = st.lists(st.sampled_from(["A", "A", "B", "C"]), min_size=1, max_size=5)


@given(st.lists(st.tuples(st.sampled_from(["x", "y"]), st.none() | _CODES), max_size=8), st.randoms())
def test_what_counts_depends_on_sends_and_withdrawals_alone(steps: list[Step], random: Random) -> None:
    """However late the consumers are when a batch is taken back, and in whichever order they get what."""
    archive: dict[str, list[Rows]] = defaultdict(list)
    records: list[tuple[str, bytes]] = []
    for place, (batch, codes) in enumerate(steps):
        if codes is None:
            delivered = random.sample(records, random.randint(0, len(records)))
            stored = union(each for record in delivered for each in cut(*record))
            found = withdrawal_of(batch, lines_of_batch(batch, archive[batch], ()), stored)
            new = list(found.records(f"2026-11-26T09:00:0{place}.000000Z"))
            is_archived = random.random() < 0.5
        else:
            new = [(batch, pack(ndjson([row(StockCode=code) for code in codes])))]
            is_archived = True
        records += new
        for name, data in new if is_archived else ():
            archive[name].append(read_ndjson(unpack(data, MAX_BODY_BYTES)))
    random.shuffle(records)
    slices = [each for record in (*records, *records[::-1]) for each in cut(*record)]
    stored_by_id = {each.slice_id: each for each in slices}
    counting = invoice_of("536365", stored_by_id.values()).lines.values()
    assert Counter(line.StockCode for line in counting) == what_counts(steps)


@given(st.lists(lines(), max_size=6))
def test_every_valid_line_can_be_taken_back(batch: list[Line]) -> None:
    """Its row is valid in the form in which the command sends it, and means the same line."""
    found = Rows(batch, range(len(batch)), [])
    records = list(Withdrawal("x", lines_of_batch("x", [found], ()), 0).records(NINE))
    slices = [*slices_of(found, "x"), *(each for record in records for each in cut(*record))]
    assert [line for line in union(slices).values() if not line.Withdrawn] == []
    assert len(union(slices)) == len(lines_of_batch("x", [found], ()))


def test_all_lines_of_a_batch_are_taken_back(stores: Stores) -> None:
    """Equal rows, each of them, and rows with Occurrence. Equal rows of another batch stay, unless they have one."""
    send(stores, ROWS)
    send(stores, ROWS, "other")
    assert len(held(stores)) == 7
    withdraw(stores)
    assert held(stores) == [("536365", None), ("536365", None), ("9", None)]
    report = verify(stores, Scope(), NO_BAR)
    assert (report.findings.kept, report.withdrawn, report.lines) == ([], 4, 3)


def test_a_second_run_finds_nothing_to_do(stores: Stores) -> None:
    """It sends no record, and says how many lines were taken back before."""
    send(stores, ROWS)
    withdraw(stores)
    again = find(stores)
    assert (again.lines, again.taken_back, list(again.records(TEN))) == ({}, 4, [])


def test_a_run_before_the_consumers_are_done_changes_nothing(stores: Stores) -> None:
    """As after a command that was killed: the same lines are taken back once more."""
    send(stores, ROWS)
    late = find(stores)
    withdraw(stores)
    for batch_id, data in late.records(TEN):
        deliver(stores, data, batch_id)
    assert (held(stores), verify(stores, Scope(), NO_BAR).findings.kept) == ([], [])


def test_a_run_that_ended_between_two_records_is_finished_by_the_next(stores: Stores) -> None:
    """It takes back only the lines that still count."""
    send(stores, ROWS)

    def stop_after_the_first(batch_id: str, data: bytes) -> None:
        if batch_id != BATCH:
            raise Unavailable("Kinesis did not answer")
        deliver(stores, data, batch_id)

    with pytest.raises(Unavailable):
        send_withdrawal(find(stores), NINE, stop_after_the_first)
    assert held(stores) == [("536365", 1)]
    assert len(withdraw(stores, TEN)) == 1
    assert (held(stores), verify(stores, Scope(), NO_BAR).findings.kept) == ([], [])


def test_a_batch_that_is_sent_again_stays_taken_back(stores: Stores) -> None:
    """A row that it did not have before counts, and a second command takes it back."""
    send(stores, ROWS)
    withdraw(stores)
    send(stores, ROWS)
    assert held(stores) == []
    send(stores, [*ROWS, row()])
    assert held(stores) == [("536365", None)]
    withdraw(stores, TEN)
    assert held(stores) == []


def test_the_archive_keeps_what_was_sent(stores: Stores) -> None:
    """The rows that take the batch back are a second body of it; rows with Occurrence are another batch."""
    send(stores, ROWS)
    before = stores.bucket.read(RAW_KEY)
    withdraw(stores)
    assert stores.bucket.read(RAW_KEY) == before
    other, *bodies = keys(stores, "raw/")
    assert other.startswith("raw/dt=1970-01-01/hour=00/withdrawn-")
    assert min(bodies) == RAW_KEY
    assert len(bodies) == 2


def test_tables_that_are_built_again_have_it_taken_back(stores: Stores, tmp_path: Path) -> None:
    send(stores, ROWS)
    withdraw(stores)
    before = items(stores, stores.invoices_table)
    for each in stores.dynamodb.scan(TableName=stores.invoices_table)["Items"]:
        key = {name: each[name] for name in ("InvoiceNo", "SliceId")}
        stores.dynamodb.delete_item(TableName=stores.invoices_table, Key=key)
    progress = ProgressFile(tmp_path / "progress.json", TARGET)
    Replay(stores.bucket, index_of(stores)).run(EVERYTHING, progress, NO_BAR)
    assert items(stores, stores.invoices_table) == before


def test_several_bodies_and_redriven_rows_are_taken_back(stores: Stores) -> None:
    """Of one content the second body has two rows; a row that was mended equals them and is the third."""
    send(stores, [row(), row(Quantity="six")])
    send(stores, [row(), row(), row(InvoiceNo="9")])
    (dead_letter,) = keys(stores, "failed/")
    Redrive(stores.bucket, index_of(stores)).run(dead_letter, Fix({"Quantity": "6"}))
    assert held(stores) == [("536365", None)] * 3 + [("9", None)]
    withdraw(stores)
    assert (held(stores), verify(stores, Scope(), NO_BAR).findings.kept) == ([], [])


def test_a_row_that_is_redriven_later_is_a_line_of_its_own(stores: Stores) -> None:
    """The rows that took the batch back are not counted as further rows of it."""
    send(stores, [row(), row(Quantity="six")])
    withdraw(stores)
    (dead_letter,) = keys(stores, "failed/")
    Redrive(stores.bucket, index_of(stores)).run(dead_letter, Fix({"Quantity": "6"}))
    assert held(stores) == [("536365", None)]
    assert sorted(found.number for found in find(stores).lines.values()) == [2]


def test_a_line_that_was_stated_for_later_is_taken_back(stores: Stores) -> None:
    """As of the same instant the withdrawal holds."""
    send(stores, [row(Occurrence=1, AsOf=TEN)])
    assert find(stores).instant(now=0) == TEN
    withdraw(stores, find(stores).instant(now=0))
    assert held(stores) == []


def test_another_batch_may_have_taken_a_line_back(stores: Stores) -> None:
    """The archive of this batch does not know it, but the tables do."""
    send(stores, [row(Occurrence=1), row()])
    send(stores, [row(Occurrence=1, AsOf=NINE, Withdrawn=True)], "other")
    assert (len(find(stores).lines), find(stores).taken_back) == (1, 1)


@pytest.mark.parametrize("keeps_lines", [False, True])
def test_an_erasure_brings_no_line_back(stores: Stores, *, keeps_lines: bool) -> None:
    """A line that is kept gets a new id, the same in the row that sent it and in the row that took it back."""
    send(stores, ROWS)
    records = withdraw(stores)
    erase(EraseStores(stores), "17850", keeps_lines=keeps_lines, clock=FakeClock().clock, bar=NO_BAR)
    deliver_all(stores, records)
    assert (held(stores), verify(stores, Scope(), NO_BAR).findings.kept) == ([], [])


def withdrawal_of_rows(rows: Sequence[Row]) -> Withdrawal:
    return Withdrawal("x", lines_of_batch("x", [read_ndjson(ndjson(rows))], ()), 0)


@pytest.mark.slow
def test_rows_beyond_the_limits_go_out_in_several_records() -> None:
    """Each is within the limits, and equal rows stand in one of them, or they would get other numbers."""
    texts = Random(1)  # noqa: S311 - text that cannot be compressed
    rows = [row(Description=texts.randbytes(240).hex()) for _ in range(4_000)]
    found = withdrawal_of_rows([*rows, *rows[:3_000]])
    records = list(found.records(NINE))
    assert len(records) > 1
    assert max(len(data) for _, data in records) <= MAX_RECORD_BYTES
    assert {batch_id for batch_id, _ in records} == {"x"}
    names = [name for each in records for invoice_slice in cut(*each) for name in invoice_slice.lines]
    assert (len(names), set(names)) == (7_000, set(found.lines))


def test_equal_rows_that_fit_into_no_record_are_refused() -> None:
    """Ten thousand times the same long text fits into a request, but not with an instant in each row."""
    with pytest.raises(TooLarge, match="equal rows of one batch"):
        list(withdrawal_of_rows([row(Description="d" * 400, Country="c" * 60)] * MAX_ROWS).records(NINE))


Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(stores: Stores, kinesis: "KinesisClient", monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `withdraw --batch …`; returns the exit code and the output."""
    settings = {"RAW_BUCKET": stores.bucket.name, "INVOICES_TABLE": stores.invoices_table, "STREAM_NAME": "rows"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(build_app("withdraw"), ["withdraw", "--batch", *words])
        return done.exit_code, done.output if done.exit_code < 1 else str(done.exception)

    return run


def stream(kinesis: "KinesisClient") -> list[tuple[str, bytes]]:
    iterator = kinesis.get_shard_iterator(
        StreamName="rows", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    return [(each["PartitionKey"], each["Data"]) for each in kinesis.get_records(ShardIterator=iterator)["Records"]]


def test_the_command_shows_what_it_takes_back(stores: Stores, kinesis: "KinesisClient", command: Command) -> None:
    """Lines, invoices and their amount, before it sends anything; later that nothing is left."""
    send(stores, ROWS)
    shown = (
        f"Batch {BATCH}: 4 lines to take back, of 2 invoices, amount 61.20.\n"
        "With Occurrence, so taken back in every batch that has it: 1 line.\n"
    )
    assert command(BATCH, "--dry-run") == (0, shown)
    assert stream(kinesis) == []
    code, text = command(BATCH, "--yes")
    assert (code, text.startswith(f"{shown}Taken back as of 20"), ", in 2 records. " in text) == (0, True, True)
    for batch_id, data in stream(kinesis):
        deliver(stores, data, batch_id)
    assert held(stores) == []
    assert command(BATCH, "--yes") == (0, f"Batch {BATCH}: 0 lines to take back.\nTaken back before: 4 lines.\n")
    assert len(stream(kinesis)) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nobody",), "The archive has no line of a batch nobody."),
        (("no/batch", "--yes"), "a batch id is 1 to 64 letters"),
        ((BATCH,), "Nobody can be asked here."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    stores: Stores, kinesis: "KinesisClient", command: Command, words: Sequence[str], sentence: str
) -> None:
    send(stores, ROWS)
    code, text = command(*words)
    assert (code, text.startswith(sentence), stream(kinesis)) == (1, True, [])


def test_an_erasure_that_begins_meanwhile_stops_the_command(
    stores: Stores, kinesis: "KinesisClient", command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that were read before it would come back after its end."""
    send(stores, ROWS)

    def erase_meanwhile(*, yes: bool) -> None:
        assert yes
        StatementWriter(stores.bucket).begin("17850", 0, keeps_lines=False)

    monkeypatch.setattr("pipeline_ops.withdraw._ask", erase_meanwhile)
    code, text = command(BATCH, "--yes")
    assert (code, text.startswith("An erasure began or ended meanwhile"), stream(kinesis)) == (1, True, [])


def test_batches_whose_ids_begin_alike_are_told_apart(stores: Stores) -> None:
    """A batch id may contain a point, as the key of a redriven document does."""
    send(stores, [row()], "a")
    send(stores, [row(Quantity="six")], "a.b")
    (dead_letter,) = keys(stores, "failed/")
    Redrive(stores.bucket, index_of(stores)).run(dead_letter, Fix({"Quantity": "6"}))
    assert (len(find(stores, "a").lines), len(find(stores, "a.b").lines)) == (1, 1)
    with pytest.raises(OpsError, match="The archive has no line"):
        find(stores, "a.")
