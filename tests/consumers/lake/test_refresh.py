"""From new objects of the archive to lines in the lake, each once, whatever is sent or delivered again."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import pytest

from aws.bucket import raw_key
from consumers.lake.refresh import LakeQueue, Refresh
from consumers.lake.table import COLUMNS, MONTH, LakeChanged, LakeTable, MonthFile, Snapshot
from invoices.batch import pack
from invoices.errors import Unavailable
from tests.consumers.lake.lakes import OLDER_LINE, Lake, LakeLine
from tests.invoice_rows import ndjson, row

pytestmark = pytest.mark.slow

JANUARY = "1/4/2011 10:00"
HEART = LakeLine(
    InvoiceNo="536365",
    StockCode="85123A",
    Description="WHITE HANGING HEART T-LIGHT HOLDER",
    Quantity=6,
    InvoiceDate=datetime.fromisoformat("2010-12-01T08:26"),
    IsUtc=False,
    UnitPrice=Decimal("2.55"),
    Amount=Decimal("15.30"),
    CustomerID="17850",
    Country="United Kingdom",
    Occurrence=1,
    LineId=None,
)


def test_a_row_becomes_a_line_with_exact_values(lake: Lake) -> None:
    lake.archive("one", [row(Occurrence=1)])
    lake.refresh()
    assert lake.lines() == Counter([HEART])


def test_every_extreme_keeps_its_exact_value(lake: Lake) -> None:
    """The largest amounts, six decimals, no customer, no description, an instant to the microsecond."""
    changes = {"Quantity": -999_999_999, "UnitPrice": "999999999.999999", "CustomerID": "", "Description": None}
    lake.archive("one", [row(Occurrence=1, InvoiceDate="2011-01-04T10:00:00.000001+02:00", **changes)])
    lake.refresh()
    (line,) = lake.lines()
    assert line.Amount == -999_999_999 * Decimal("999999999.999999")
    assert (line.CustomerID, line.Description) == (None, None)
    assert (line.InvoiceDate, line.IsUtc) == (datetime.fromisoformat("2011-01-04T08:00:00.000001"), True)


def test_true_repeats_are_kept_and_re_sent_rows_are_not(lake: Lake) -> None:
    lake.archive("one", [row(Occurrence=1), row(Occurrence=2)])
    lake.archive("two", [row(Occurrence=2), row(Occurrence=1)])
    lake.refresh()
    assert lake.lines() == Counter([HEART, HEART._replace(Occurrence=2)])


def test_a_re_send_in_another_hour_adds_no_line(lake: Lake) -> None:
    """The archive has it in another folder, and the name of a folder is no column of a line."""
    rows = pack(ndjson([row(Occurrence=1, InvoiceDate="2010-12-01T08:26:00")]))
    keys = [raw_key(f"018bcfe5-6800-7000-8000-{number:012}") for number in range(2)]
    keys.append(raw_key("018bd300-0000-7000-8000-000000000000"))
    for key in keys:
        lake.put(key, rows)
    lake.refresh()
    assert len({key.rpartition("/")[0] for key in keys}) == 2
    assert lake.lines() == Counter([HEART])


def test_rows_without_occurrence_are_known_by_their_batch_and_place(lake: Lake) -> None:
    """Two batches with the same row are two lines, and the same batch delivered again is not."""
    lake.archive("one", [row()])
    lake.archive("two", [row()])
    lake.refresh()
    lake.archive("one", [row()])
    lake.refresh()
    ids = {line.LineId for line in lake.lines()}
    assert (len(ids), None in ids, lake.lines().total()) == (2, False, 2)


def test_a_re_send_writes_nothing(lake: Lake) -> None:
    """In other batches and another order: no data file, no version."""
    rows = [row(StockCode=str(code), Occurrence=1) for code in range(10)]
    lake.archive("one", rows)
    lake.refresh()
    before = lake.object_keys()
    for number in range(5):
        lake.archive(f"again-{number}", rows[number:] + rows[:number])
    refreshed = lake.refresh()
    assert refreshed
    assert (refreshed.rows, refreshed.version, lake.object_keys() == before) == (50, None, True)


def test_each_refresh_adds_to_the_months_that_it_touches(lake: Lake) -> None:
    lake.archive("one", [row(Occurrence=1), row(InvoiceDate=JANUARY, Occurrence=1)])
    lake.refresh()
    december = lake.table.snapshot().months["2010-12"]
    lake.archive("two", [row(InvoiceDate=JANUARY, Occurrence=2)])
    refreshed = lake.refresh()
    assert refreshed
    assert (refreshed.version, refreshed.months) == (2, ["2011-01"])
    months = lake.table.snapshot().months
    assert (months["2010-12"], [file.rows for file in months["2011-01"]]) == (december, [1, 1])
    assert lake.lines().total() == 3


def test_an_empty_queue_is_no_refresh(lake: Lake) -> None:
    lake.refresh()  # takes the message with which S3 tests the queue
    assert lake.refresh() is None


def test_rows_that_a_redrive_stored_are_in_the_lake(lake: Lake) -> None:
    """Under the line ids that they would have had in their batch."""
    mended = json.dumps(row(Quantity=7)).encode()
    document = {"batch_id": "one", "stage": "to_dynamodb", "rows": [{"number": 1, "text": mended.decode()}]}
    lake.put("failed-redriven/to_dynamodb/dt=1970-01-01/hour=00/one.abc.json", json.dumps(document).encode())
    lake.refresh()
    lake.put("raw/dt=1970-01-01/hour=00/one.ndjson.gz", pack(b"{}\n" + mended))
    lake.refresh()
    assert [(line.Quantity, count) for line, count in lake.lines().items()] == [(7, 1)]


def test_what_no_reader_can_take_is_left_out_and_counted(lake: Lake) -> None:
    """A broken object, an invalid row, an object that is gone, and a document that is none."""
    lake.put("raw/dt=1970-01-01/hour=00/broken.ndjson.gz", b"not gzip")
    lake.put("failed-redriven/to_dynamodb/dt=1970-01-01/hour=00/x.json", b"{}")
    lake.s3.delete_object(Bucket=lake.archive_bucket, Key=lake.archive("gone", [row(Occurrence=9)]))
    lake.archive("one", [row(Quantity="six"), row(Occurrence=1)])
    refreshed = lake.refresh()
    assert refreshed
    assert (refreshed.unreadable, lake.lines(), lake.messages()) == (4, Counter([HEART]), 0)


def test_another_writers_message_is_not_deleted(lake: Lake) -> None:
    """The queue hands it to the dead-letter queue after some attempts; the others are done."""
    lake.sqs.send_message(QueueUrl=lake.queue_url, MessageBody="hello")
    lake.archive("one", [row(Occurrence=1)])
    lake.refresh()
    assert (lake.messages(), lake.lines()) == (1, Counter([HEART]))


def test_keys_arrive_as_they_were_written(lake: Lake) -> None:
    """S3 writes them into its messages with escapes."""
    lake.put("raw/dt=1970-01-01/hour=00/one=0a1b.ndjson.gz", pack(json.dumps(row(Occurrence=1)).encode()))
    lake.refresh()
    assert lake.lines() == Counter([HEART])


def test_a_column_that_older_data_files_lack_is_null_there(lake: Lake) -> None:
    """A line that is sent again is still the same, and a month without new lines keeps its old file."""
    lake.fill_before("LineId", OLDER_LINE)
    january = lake.archive("one", [row(InvoiceDate=JANUARY)])
    lake.add([january, lake.archive("two", [row(Occurrence=1)])])
    assert lake.table.snapshot().paths["2010-12"] == ["month=2010-12/old.parquet"]
    lake.add([lake.archive("three", [row(Occurrence=1), row(Occurrence=2)])])
    known_by_content = {(line.InvoiceDate.month, line.Occurrence) for line in lake.lines() if line.LineId is None}
    assert known_by_content == {(12, 1), (12, 2)}
    assert (lake.lines().total(), lake.table.snapshot().columns) == (3, {*COLUMNS, MONTH})


class RacedTable(LakeTable):
    """Another refresh commits the rows of `others` just before each of the first commits."""

    def __init__(self, lake: Lake, others: list[str]) -> None:
        super().__init__(lake.s3, lake.bucket)
        self._lake = lake
        self._others = others

    def commit(self, snapshot: Snapshot, files: Sequence[MonthFile], replaced: Sequence[str] = ()) -> None:
        if self._others:
            self._lake.add([self._others.pop()])
        super().commit(snapshot, files, replaced)


def test_a_lost_race_begins_again_and_loses_no_line(lake: Lake) -> None:
    """The winner's lines and the loser's are of the same month."""
    others = [lake.archive(f"other-{code}", [row(StockCode=str(code), Occurrence=1)]) for code in range(3)]
    mine = lake.archive("mine", [row(Occurrence=1)])
    refreshed = Refresh(lake.s3, lake.archive_bucket, RacedTable(lake, list(others)), lake.totals).add([mine])
    assert refreshed.version == 4
    assert {line.StockCode for line in lake.lines()} == {"0", "1", "2", "85123A"}
    assert set(lake.lines().values()) == {1}


def test_a_race_for_the_same_rows_is_over_when_the_other_has_won(lake: Lake) -> None:
    """After the lost race nothing is new, so nothing is committed."""
    key = lake.archive("one", [row(Occurrence=1)])
    refreshed = Refresh(lake.s3, lake.archive_bucket, RacedTable(lake, [key]), lake.totals).add([key])
    assert (refreshed.version, lake.lines()) == (None, Counter([HEART]))


class UnclearTable(LakeTable):
    """Its first commit is made, and its answer is lost."""

    is_lost = True

    def commit(self, snapshot: Snapshot, files: Sequence[MonthFile], replaced: Sequence[str] = ()) -> None:
        super().commit(snapshot, files, replaced)
        if self.is_lost:
            self.is_lost = False
            raise LakeChanged("no answer")


def test_a_commit_whose_answer_is_lost_is_not_made_twice(lake: Lake) -> None:
    key = lake.archive("one", [row(Occurrence=1)])
    Refresh(lake.s3, lake.archive_bucket, UnclearTable(lake.s3, lake.bucket), lake.totals).add([key])
    assert (lake.lines(), lake.table.snapshot().version) == (Counter([HEART]), 1)
    current = lake.totals.current()
    assert current
    assert current.version == 1


class FailingTable(LakeTable):
    def commit(self, *_: object, **__: object) -> None:
        raise LakeChanged("for ever")


def test_messages_stay_until_the_commit_is_made(lake: Lake) -> None:
    """A refresh that fails leaves all of them, and the next one has every row."""
    lake.archive("one", [row(Occurrence=1)])
    before = lake.messages()
    with pytest.raises(LakeChanged):
        Refresh(lake.s3, lake.archive_bucket, FailingTable(lake.s3, lake.bucket), lake.totals).run(lake.queue)
    assert lake.messages() == before


class DeafQueue(LakeQueue):
    def delete(self, *_: object) -> None:
        raise Unavailable("no answer")


def test_messages_that_could_not_be_deleted_change_nothing(lake: Lake) -> None:
    lake.archive("one", [row(Occurrence=1)])
    refresh = Refresh(lake.s3, lake.archive_bucket, lake.table, lake.totals)
    with pytest.raises(Unavailable):
        refresh.run(DeafQueue(lake.sqs, lake.queue_url, wait_seconds=0))
    lake.sqs.purge_queue(QueueUrl=lake.queue_url)
    lake.archive("one", [row(Occurrence=1)])
    lake.refresh()
    assert (lake.lines(), lake.table.snapshot().version) == (Counter([HEART]), 1)


NINE, TEN = "2026-11-26T09:00:00Z", "2026-11-26T10:00:00Z"
TAKEN_BACK = HEART._replace(StatedAt=datetime.fromisoformat("2026-11-26T09:00"), Withdrawn=True)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("together", [True, False], ids=["in one refresh", "one after the other"])
def test_a_line_that_was_taken_back_stays_so(lake: Lake, order: int, *, together: bool) -> None:
    """In any order, and although the line is sent again. Its row is kept, and no sum counts it."""
    batches = {"one": [row(Occurrence=1), row(Occurrence=2)], "back": [row(Occurrence=1, AsOf=NINE, Withdrawn=True)]}
    for name, rows in (*list(batches.items())[::order], ("again", [row(Occurrence=1)])):
        lake.archive(name, rows)
        if not together:
            lake.refresh()
    lake.refresh()
    assert lake.lines() == Counter([HEART._replace(Occurrence=2), TAKEN_BACK])
    current = lake.totals.current()
    assert current
    assert [day.lines for day in lake.totals.month(current.months["2010-12"])] == [1]


@pytest.mark.parametrize("order", [1, -1])
def test_a_batch_that_was_taken_back_stays_so(lake: Lake, order: int) -> None:
    """Each of its equal rows without Occurrence. The same rows of another batch count."""
    taken_back = [row(AsOf=NINE, Withdrawn=True)] * 2
    for name, rows in [("one", [row(), row()]), ("one=0123456789abcdef", taken_back)][::order]:
        lake.archive(name, rows)
        lake.refresh()
    lake.archive("other", [row()])
    lake.archive("one", [row(), row()])
    lake.refresh()
    assert sorted((line.Withdrawn is None, line.Occurrence) for line in lake.lines()) == [
        (False, None),
        (False, None),
        (True, None),
    ]
    current = lake.totals.current()
    assert current
    assert [day.lines for day in lake.totals.month(current.months["2010-12"])] == [1]


def test_a_row_that_is_weaker_than_what_is_stated_writes_nothing(lake: Lake) -> None:
    """So a replay of the archive leaves the table as it is."""
    lake.archive("back", [row(Occurrence=1, AsOf=NINE, Withdrawn=True)])
    lake.refresh()
    lake.archive("again", [row(Occurrence=1), row(Occurrence=1, AsOf=NINE)])
    done = lake.refresh()
    assert (done and done.version, lake.lines()) == (None, Counter([TAKEN_BACK]))


def test_a_line_can_be_stated_again(lake: Lake) -> None:
    """The later statement holds, whichever arrives first."""
    lake.archive("later", [row(Occurrence=1, AsOf=TEN)])
    lake.refresh()
    lake.archive("back", [row(Occurrence=1, AsOf=NINE, Withdrawn=True)])
    lake.refresh()
    assert lake.lines() == Counter([HEART._replace(StatedAt=datetime.fromisoformat("2026-11-26T10:00"))])


def test_a_line_of_an_older_table_can_be_taken_back(lake: Lake) -> None:
    """Its data file has no column for that."""
    lake.fill_before("Withdrawn", OLDER_LINE)
    lake.archive("back", [row(Occurrence=1, AsOf=NINE, Withdrawn=True)])
    lake.refresh()
    assert lake.lines() == Counter([TAKEN_BACK])
