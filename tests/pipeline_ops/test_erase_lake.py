"""A customer leaves the lake with its old data files, and no refresh brings the rows back."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aws.bucket import Bucket
from consumers.lake.refresh import Refresh
from consumers.lake.staging import MOST_FILES
from consumers.lake.table import LakeTable, MonthFile, Snapshot
from invoices.errors import Unavailable
from pipeline_ops.erase.found import Found, Store, Target
from pipeline_ops.erase.lake import LakeErasure
from pipeline_ops.erase.statements import RunningErasure, StatementWriter
from tests.consumers.lake.conftest import engine, lake
from tests.consumers.lake.lakes import Lake
from tests.invoice_rows import Row, row
from tests.pipeline_ops.stores import NO_BAR

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["engine", "lake"]  # fixtures

pytestmark = pytest.mark.slow

JANUARY = "1/4/2011 10:00"
ERASED = "Kunde-17850"  # no UUID, no time and no digest has it in it by chance
ROWS: "Sequence[Row]" = [
    row(CustomerID=ERASED, Occurrence=1),
    row(CustomerID=ERASED),
    row(Occurrence=1, CustomerID="13047"),
    row(Occurrence=1, CustomerID=None),
    row(CustomerID=ERASED, Occurrence=1, InvoiceDate=JANUARY),
]


@pytest.fixture
def filled(lake: Lake) -> Lake:
    """December has two data files, of which one names the customer."""
    lake.add([lake.archive("one", ROWS)])
    lake.add([lake.archive("two", [row(Occurrence=1, StockCode="POST", CustomerID="13047")])])
    return lake


def begin(lake: Lake, *, keeps_lines: bool = False) -> RunningErasure:
    """Only the statement, without an end."""
    return StatementWriter(Bucket(lake.s3, lake.archive_bucket)).begin(ERASED, 0, keeps_lines=keeps_lines)


def erase(lake: Lake, *, keeps_lines: bool = False) -> Found:
    erasure = begin(lake, keeps_lines=keeps_lines)
    found = Found()
    LakeErasure(lake.table, lake.totals, Target(ERASED, erasure.customers, dry_run=False)).run(found, NO_BAR)
    return found


def objects_naming(lake: Lake) -> list[str]:
    """By the bytes: neither Parquet's pages nor JSON hide a text that is few times in a column."""
    bodies = {key: lake.s3.get_object(Bucket=lake.bucket, Key=key)["Body"].read() for key in lake.object_keys()}
    return [key for key, body in bodies.items() if ERASED.encode() in body]


def test_no_data_file_names_the_customer(filled: Lake) -> None:
    """Neither the newest version nor an old one; a month of the customer alone is gone, the totals follow."""
    assert objects_naming(filled)
    found = erase(filled)
    assert (found.rows[Store.LAKE], found.rows[Store.OLD_LAKE_FILES]) == (3, 3)
    assert objects_naming(filled) == []
    assert {line.CustomerID for line in filled.lines()} == {None, "13047"}
    current = filled.totals.current()
    assert current
    assert [sum(day.lines for day in filled.totals.month(key)) for key in current.months.values()] == [3]
    assert erase(filled).is_empty


def test_no_sum_counts_the_customers_lines(filled: Lake) -> None:
    """Neither the current one of a month nor an older one."""
    erase(filled)
    current = filled.totals.current()
    assert current
    kept = {"totals/current.json", *current.months.values()}
    assert {key for key in filled.object_keys() if key.startswith("totals/")} == kept


def test_kept_lines_stay_in_the_lake(filled: Lake) -> None:
    """As many as before, with the same amounts, and the rewritten archive adds none."""
    before = sorted((line.InvoiceDate, line.Amount) for line in filled.lines().elements())
    erase(filled, keeps_lines=True)
    assert objects_naming(filled) == []
    filled.add(["raw/dt=1970-01-01/hour=00/one.ndjson.gz"])
    assert sorted((line.InvoiceDate, line.Amount) for line in filled.lines().elements()) == before


def test_a_rebuild_brings_nothing_back(filled: Lake) -> None:
    """Even from objects of the archive that were not rewritten yet."""
    erase(filled)
    before = filled.lines()
    filled.add(["raw/dt=1970-01-01/hour=00/one.ndjson.gz"])
    assert filled.lines() == before


class ErasesFirst(LakeTable):
    """An erasure begins and looks at the lake before a refresh commits."""

    def __init__(self, lake: Lake) -> None:
        super().__init__(lake.s3, lake.bucket)
        self._lake = lake

    def write(self, file: MonthFile, data: bytes) -> None:
        super().write(file, data)
        erase(self._lake)


class ErasesBeforeTheUpload(LakeTable):
    """An erasure begins and looks at the lake while a refresh unites a month."""

    def __init__(self, lake: Lake) -> None:
        super().__init__(lake.s3, lake.bucket)
        self._lake = lake

    def read(self, file: MonthFile) -> bytes:
        data = super().read(file)
        erase(self._lake)
        return data


class ErasesBeforeTheDownload(LakeTable):
    """An erasure deletes data files after a refresh has taken its snapshot and before it reads them."""

    def __init__(self, lake: Lake) -> None:
        super().__init__(lake.s3, lake.bucket)
        self._lake = lake

    def download(self, files: "Sequence[MonthFile]", folder: Path) -> list[Path]:
        erase(self._lake)
        return super().download(files, folder)


@pytest.mark.parametrize("table", [ErasesBeforeTheUpload, ErasesBeforeTheDownload])
def test_a_refresh_that_is_overtaken_leaves_no_data_file(
    filled: Lake, table: type[ErasesBeforeTheUpload | ErasesBeforeTheDownload]
) -> None:
    """The erasure has read the list of unnamed files before, and would never see it."""
    key = filled.archive("three", [row(CustomerID=ERASED, Occurrence=2)])
    with pytest.raises(Unavailable, match="an erasure began"):
        Refresh(filled.s3, filled.archive_bucket, table(filled), filled.totals).add([key])
    assert objects_naming(filled) == []


def test_a_refresh_that_runs_begins_again(filled: Lake) -> None:
    """It has read rows of the customer before the erasure began."""
    key = filled.archive("three", [row(CustomerID=ERASED, Occurrence=2), row(Occurrence=3, CustomerID="13047")])
    with pytest.raises(Unavailable, match="an erasure began"):
        Refresh(filled.s3, filled.archive_bucket, ErasesFirst(filled), filled.totals).add([key])
    filled.add([key])
    assert {line.CustomerID for line in filled.lines()} == {None, "13047"}


def test_a_refresh_that_brings_the_customers_first_row_begins_again(lake: Lake) -> None:
    """The erasure commits nothing, so no lost race stops the refresh."""
    lake.add([lake.archive("one", [row(Occurrence=1, CustomerID="13047")])])
    key = lake.archive("two", [row(CustomerID=ERASED, Occurrence=2)])
    with pytest.raises(Unavailable, match="an erasure began"):
        Refresh(lake.s3, lake.archive_bucket, ErasesFirst(lake), lake.totals).add([key])
    assert {line.CustomerID for line in lake.lines()} == {"13047"}


@pytest.mark.parametrize(("batches", "statement"), [(MOST_FILES, {}), (2, {"AsOf": "2026-11-26T09:00:00Z"})])
def test_a_refresh_that_would_write_the_customers_lines_again_waits(
    lake: Lake, batches: int, statement: dict[str, str]
) -> None:
    """It knows of the erasure, which may be over with the lake before the new data file is uploaded."""
    for number in range(batches):
        lake.add([lake.archive(f"{number}", [row(CustomerID=ERASED, Occurrence=1 + number)])])
    begin(lake)
    key = lake.archive("new", [row(CustomerID="13047", Occurrence=1, **statement)])
    before = lake.object_keys()
    with pytest.raises(Unavailable, match="the erasure is first"):
        lake.add([key])
    assert lake.object_keys() == before
    erase(lake)
    lake.add([key])
    assert {line.CustomerID for line in lake.lines()} == {"13047"}


class ErasesOldFilesBeforeTheCommit(LakeTable):
    """A refresh begins after an erasure has committed, and is about to commit while old files are deleted."""

    def __init__(self, lake: Lake, erasure: LakeErasure) -> None:
        super().__init__(lake.s3, lake.bucket)
        self._erasure = erasure

    def commit(self, snapshot: Snapshot, files: "Sequence[MonthFile]", replaced: "Sequence[str]" = ()) -> None:
        self._erasure.run(Found(), NO_BAR)
        super().commit(snapshot, files, replaced)


class Interrupted(LakeTable):
    """It ends an erasure after its commit, before it looks for old files."""

    def unnamed_files(self, _: Snapshot) -> list[MonthFile]:
        raise Unavailable


def test_the_sums_of_a_refresh_that_is_about_to_commit_stay(filled: Lake) -> None:
    """They are not current yet, and count no line of the customer."""
    target = Target(ERASED, begin(filled).customers, dry_run=False)
    with pytest.raises(Unavailable):
        LakeErasure(Interrupted(filled.s3, filled.bucket), filled.totals, target).run(Found(), NO_BAR)
    key = filled.archive("three", [row(Occurrence=3, CustomerID="13047")])
    table = ErasesOldFilesBeforeTheCommit(filled, LakeErasure(filled.table, filled.totals, target))
    Refresh(filled.s3, filled.archive_bucket, table, filled.totals).add([key])
    current = filled.totals.current()
    assert current
    assert [sum(day.lines for day in filled.totals.month(key)) for key in current.months.values()] == [4]
    assert objects_naming(filled) == []
