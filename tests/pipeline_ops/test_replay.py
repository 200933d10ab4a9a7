"""The tables can be built from the archive again, and a second time changes nothing."""

from pathlib import Path

import pytest

from consumers.batch_loop import Outcome, Record
from consumers.index import Index
from invoices.errors import Unavailable
from pipeline_ops.errors import OpsError
from pipeline_ops.options import EVERYTHING, Stores, TimeRange, hour_range
from pipeline_ops.redrive import Fix, Redrive
from pipeline_ops.replay import ProgressFile, Replay, ReplayCounts, Target
from pipeline_ops.verify.command import Scope, verify
from tests.invoice_rows import row
from tests.pipeline_ops.stores import BATCH, BUCKET, NAMED, NO_BAR, deliver, index_of, keys, send, tables

pytestmark = pytest.mark.slow

TARGET = Target(bucket=BUCKET, invoices_table="invoices", customers_table="customers")


@pytest.fixture
def archived(stores: Stores) -> Stores:
    """Two batches, one without a time in its name; a second body; rows redriven and refused; and poison."""
    send(stores, [row(Occurrence=1), row(Quantity="six"), row(Quantity="?", Country="")])
    Redrive(stores.bucket, index_of(stores)).run(keys(stores, "failed/")[0], Fix({"Quantity": "6"}))
    send(stores, [row(StockCode="POST")])
    send(stores, [row(InvoiceNo="9", CustomerID=None)] * 2, NAMED)
    deliver(stores, b"\x1f\x8b\x08 no gzip", "poison")
    return stores


@pytest.fixture
def progress(tmp_path: Path) -> ProgressFile:
    return ProgressFile(tmp_path / "progress.json", TARGET)


def replay(
    stores: Stores, progress: ProgressFile, span: TimeRange = EVERYTHING, index: Index | None = None
) -> ReplayCounts:
    replay = Replay(stores.bucket, index or index_of(stores), sleep=lambda _seconds: None)
    return replay.run(span, progress, NO_BAR)


def empty(stores: Stores) -> None:
    for table, names in (("invoices", ("InvoiceNo", "SliceId")), ("customers", ("CustomerID", "Slice"))):
        for item in stores.dynamodb.scan(TableName=table)["Items"]:
            stores.dynamodb.delete_item(TableName=table, Key={name: item[name] for name in names})


def test_lost_tables_come_back(archived: Stores, progress: ProgressFile) -> None:
    """Item by item as they were, with every kind of line id, and verified."""
    before = tables(archived)
    empty(archived)
    replayed = replay(archived, progress)
    assert tables(archived) == before
    assert verify(archived, Scope(), NO_BAR).findings.is_clean
    assert replayed == ReplayCounts(objects=4, redriven_rows=1, rejected_rows=2, unreadable_objects=1)


def test_it_changes_nothing_that_is_there(archived: Stores, progress: ProgressFile) -> None:
    """Neither in the tables nor in the bucket, and not the second time either."""
    before = tables(archived), keys(archived)
    for _ in range(2):
        replay(archived, progress)
        assert (tables(archived), keys(archived)) == before


def test_only_some_hours(archived: Stores, progress: ProgressFile) -> None:
    """Batches whose names have no time are those of 1970-01-01."""
    empty(archived)
    assert replay(archived, progress, hour_range("2023-11-14T22", "2023-11-14T23")).objects == 2
    assert replay(archived, progress, hour_range("2023-11-14T23", None)).objects == 0
    assert replay(archived, progress, hour_range("2023-11-14T21", "2023-11-14T22")).objects == 0
    assert replay(archived, progress, hour_range("1970-01-01", "1970-01-02")).objects == 2
    assert verify(archived, Scope(), NO_BAR).findings.is_clean


class _Fails(Index):
    """DynamoDB is away at these of its calls, counted from 0."""

    def __init__(self, stores: Stores, *calls: int) -> None:
        super().__init__(stores.dynamodb, "invoices", "customers")
        self._calls = calls
        self.records: list[str] = []

    def add(self, record: Record) -> Outcome:
        self.records.append(record.batch_id)
        if len(self.records) - 1 in self._calls:
            raise Unavailable("DynamoDB did not answer")
        return super().add(record)


def test_a_failing_call_is_made_again(archived: Stores, progress: ProgressFile) -> None:
    """After a pause."""
    index = _Fails(archived, 1, 2)
    replay(archived, progress, index=index)
    assert index.records == [NAMED, "poison", "poison", "poison", BATCH, BATCH]


def test_it_goes_on_behind_the_last_object_that_is_done(archived: Stores, progress: ProgressFile) -> None:
    """An outage ends it; the next run does only the rest."""
    with pytest.raises(Unavailable):
        replay(archived, progress, index=_Fails(archived, *range(2, 99)))
    index = _Fails(archived)
    replay(archived, progress, index=index)
    assert index.records == [BATCH, BATCH]


def test_a_finished_replay_is_not_gone_on_with(archived: Stores, progress: ProgressFile) -> None:
    """The next one starts from the beginning."""
    assert [replay(archived, progress).objects for _ in range(2)] == [4, 4]


@pytest.mark.parametrize("other", [{"invoices_table": "others"}, {"start": "2023-11-14"}])
def test_a_progress_file_of_another_replay_is_refused(tmp_path: Path, other: dict[str, str]) -> None:
    """It would leave out what that one did."""
    path = tmp_path / "progress.json"
    ProgressFile(path, TARGET).save("raw/x")
    with pytest.raises(OpsError, match="is of a replay with other tables or times"):
        ProgressFile(path, TARGET.model_copy(update=other)).last_key()


def test_a_progress_file_that_cannot_be_written(tmp_path: Path) -> None:
    """One sentence names it."""
    with pytest.raises(OpsError, match="cannot be written: No such file or directory"):
        ProgressFile(tmp_path / "none" / "progress.json", TARGET).save("raw/x")


def test_what_is_no_progress_file_is_refused(tmp_path: Path) -> None:
    """It is not overwritten either."""
    path = tmp_path / "progress.json"
    path.write_text("{}")
    with pytest.raises(OpsError, match="is not the progress file"):
        ProgressFile(path, TARGET).last_key()


def test_it_pauses_after_each_object(archived: Stores, progress: ProgressFile) -> None:
    """So `--rate` is a limit: a slow object does not make the next ones faster."""
    pauses: list[float] = []
    Replay(archived.bucket, index_of(archived), pause_seconds=0.5, sleep=pauses.append).run(
        EVERYTHING, progress, NO_BAR
    )
    assert pauses == [0.5] * 5
