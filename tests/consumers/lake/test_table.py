"""The Delta table itself: its protocol, its conditional commits, what its log says, and its vacuum."""

import json
from datetime import timedelta
from typing import Any

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from consumers.lake.table import COLUMNS, LakeChanged, MonthFile, NewerTable
from tests.consumers.lake.lakes import Lake
from tests.invoice_rows import row

pytestmark = pytest.mark.slow

DECEMBER, JANUARY = "12/1/2010 8:26", "1/4/2011 10:00"


def file_of(lake: Lake, month: str, name: str = "one") -> MonthFile:
    file = MonthFile(month, f"month={month}/{name}.parquet", rows=1, size=3)
    lake.table.write(file, b"any")
    return file


def test_any_engine_can_read_it(lake: Lake) -> None:
    """Reader version 1 and writer version 2: no feature that some engine does not have."""
    protocol = lake.table.snapshot().delta.protocol()
    assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 2)
    assert (protocol.reader_features, protocol.writer_features) == (None, None)


def test_its_schema_says_what_a_data_file_holds(lake: Lake) -> None:
    """And the month, which is in the log alone."""
    fields = json.loads(lake.table.snapshot().delta.schema().to_json())["fields"]
    assert {field["name"]: field["type"] for field in fields} == {**COLUMNS, "month": "string"}


def test_creating_it_twice_creates_it_once(lake: Lake) -> None:
    assert (lake.table.snapshot().version, lake.table.snapshot().version) == (0, 0)


def test_whoever_loses_the_race_to_create_it_has_the_table_of_the_other(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """deltalake looks whether there is a table and then creates it: another one may be in between."""
    create = DeltaTable.create

    def create_after_another(*args: Any, **kwargs: Any) -> None:
        create(*args, **kwargs)
        raise CommitFailedError("Failed to commit transaction: 0")

    monkeypatch.setattr(DeltaTable, "create", create_after_another)
    assert lake.table.snapshot().version == 0


def test_a_commit_adds_to_a_month_or_replaces_it(lake: Lake) -> None:
    lake.table.commit(lake.table.snapshot(), [file_of(lake, month) for month in ("2010-12", "2011-01", "2011-02")])
    new = [file_of(lake, month, "two") for month in ("2010-12", "2011-01")]
    lake.table.commit(lake.table.snapshot(), new, replaced=["2011-01"])
    assert lake.table.snapshot().paths == {
        "2010-12": ["month=2010-12/one.parquet", "month=2010-12/two.parquet"],
        "2011-01": ["month=2011-01/two.parquet"],
        "2011-02": ["month=2011-02/one.parquet"],
    }


@pytest.mark.parametrize("replaces", [True, False], ids=["replacing", "adding"])
@pytest.mark.parametrize("month", ["2010-12", "2011-01"], ids=["the same month", "another month"])
def test_a_commit_on_an_older_snapshot_is_refused(lake: Lake, month: str, *, replaces: bool) -> None:
    """Even where the months differ: deltalake itself would rebase the second one."""
    older, newer = lake.table.snapshot(), lake.table.snapshot()
    lake.table.commit(newer, [file_of(lake, "2010-12")])
    with pytest.raises(LakeChanged):
        lake.table.commit(older, [file_of(lake, month, "two")], [month] if replaces else [])
    assert lake.table.snapshot().version == 1


def test_a_data_file_that_is_gone_says_that_there_is_a_newer_version(lake: Lake) -> None:
    """An erasure deletes what its own version no longer names."""
    file = file_of(lake, "2010-12")
    lake.table.delete(file)
    with pytest.raises(LakeChanged, match="is gone"):
        lake.table.read(file)


def test_a_table_with_a_newer_column_is_not_written(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit replaces the table's schema, so an older version of the function would drop the column."""
    snapshot = lake.table.snapshot()
    monkeypatch.setattr("consumers.lake.table.COLUMNS", {"InvoiceNo": "string"})
    with pytest.raises(NewerTable, match="Amount, Country"):
        lake.table.commit(snapshot, [file_of(lake, "2010-12")])


def test_a_month_can_be_taken_out(lake: Lake) -> None:
    lake.table.commit(lake.table.snapshot(), [file_of(lake, "2010-12"), file_of(lake, "2011-01")])
    lake.table.commit(lake.table.snapshot(), [file_of(lake, "2010-12", "two")], replaced=["2010-12", "2011-01"])
    assert list(lake.table.snapshot().months) == ["2010-12"]


def test_its_log_holds_nothing_of_a_row(lake: Lake) -> None:
    """The log outlives the rows that it names files of: counts are in it, and no value of a column."""
    lake.archive("one", [row(Occurrence=1), row(InvoiceDate=JANUARY, Occurrence=1)])
    lake.refresh()
    log = json.dumps(lake.log())
    personal = ("17850", "HEART", "85123A", "536365", "Kingdom")
    assert ("numRecords" in log, [each for each in personal if each in log]) == (True, [])
    assert lake.table.snapshot().delta.metadata().configuration["delta.dataSkippingStatsColumns"] == "InvoiceDate"


def test_a_checkpoint_is_written_every_ten_commits(lake: Lake) -> None:
    for number in range(12):
        lake.table.commit(lake.table.snapshot(), [file_of(lake, "2010-12", str(number))])
    assert "lines/_delta_log/_last_checkpoint" in lake.object_keys()
    assert lake.table.snapshot().version == 12


def test_a_vacuum_deletes_what_no_version_names(lake: Lake) -> None:
    """Replaced files, and files that a refresh uploaded before it was killed."""
    for name in ("one", "two"):
        lake.table.commit(lake.table.snapshot(), [file_of(lake, "2010-12", name)], ["2010-12"])
    file_of(lake, "2010-12", "never-committed")
    lake.table.vacuum(timedelta())
    assert {key for key in lake.object_keys() if key.endswith(".parquet")} == {"lines/month=2010-12/two.parquet"}


def test_a_vacuum_spares_what_is_younger_than_a_day(lake: Lake) -> None:
    """A refresh that runs at the same time has uploaded files that it has yet to commit."""
    lake.table.commit(lake.table.snapshot(), [file_of(lake, "2010-12")])
    file_of(lake, "2010-12", "about-to-be-committed")
    assert lake.table.vacuum(timedelta(hours=24)) == 0
