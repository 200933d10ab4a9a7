"""A verification finds, and names exactly, what was lost, doubled or altered."""

import pkgutil
from pathlib import Path

import pytest

from aws.bucket import raw_key
from invoices.batch import pack
from pipeline_ops.expected import FileOptions
from pipeline_ops.options import Stores, hour_range
from pipeline_ops.redrive import Fix, Redrive
from pipeline_ops.verify.command import Report, Scope, verify
from pipeline_ops.verify.findings import Finding, Findings, Kind, Where
from tests.invoice_rows import Row, row
from tests.pipeline_ops.stores import (
    BATCH,
    NAMED,
    NO_BAR,
    RAW_KEY,
    alter_first_price,
    copy,
    delete_second_line,
    deliver,
    index_of,
    keys,
    send,
    slice_key_of,
)
from tests.pipeline_ops.test_read_rows import HEADER, VALUES, write

pytestmark = pytest.mark.slow

LATER = "018bcfe5-6800-7000-8000-000000000009"


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """A row, the same row again, one of another invoice, and one that is no invoice line."""
    other, refused = VALUES.replace("536365", "536366"), VALUES.replace(",6,", ",six,")
    return write(tmp_path / "rows.csv", f"{HEADER}\n{VALUES}\n{VALUES}\n{other}\n{refused}")


@pytest.fixture
def sent(stores: Stores, csv: Path) -> Stores:
    """The CSV's rows in both stores."""
    fields = {"Description": "WHITE HEART"}
    send(stores, [row(Occurrence=n, **fields) for n in (1, 2)] + [row(InvoiceNo="536366", Occurrence=1, **fields)])
    return stores


def report_on(stores: Stores, csv: Path | None = None) -> Report:
    return verify(stores, Scope(csv), NO_BAR)


def only(report: Report) -> Finding:
    (finding,) = report.findings.kept
    return finding


def slice_id(stores: Stores, invoice_no: str) -> str:
    return slice_key_of(stores, invoice_no)["SliceId"]["S"]


def test_clean(sent: Stores, csv: Path) -> None:
    """Everything is there once; the figures say how much."""
    report = report_on(sent, csv)
    assert report.findings.is_clean
    assert (report.csv_rows, report.csv_rejected, report.raw_objects, report.raw_rows) == (4, 1, 1, 3)
    assert (report.lines, report.slices, report.pointers) == (3, 2, 2)


def test_a_deleted_slice(sent: Stores, csv: Path) -> None:
    """Each of its lines is named by the CSV's line, the batch, the object and the row in it."""
    sent.dynamodb.delete_item(TableName="invoices", Key=slice_key_of(sent, "536365"))
    lost = [each for each in report_on(sent, csv).findings.kept if each.where == "invoices"]
    assert [(each.kind, each.line, each.index) for each in lost] == [("missing", 2, 0), ("missing", 3, 1)]
    assert {(each.batch_id, each.object, each.invoice_no) for each in lost} == {(BATCH, RAW_KEY, "536365")}


def test_a_pointer_to_a_deleted_slice(sent: Stores, csv: Path) -> None:
    """It leads nowhere, and is named by customer and slice."""
    key = slice_key_of(sent, "536365")
    sent.dynamodb.delete_item(TableName="invoices", Key=key)
    (pointer,) = (each for each in report_on(sent, csv).findings.kept if each.where == "customers")
    assert (pointer.kind, pointer.customer_id, pointer.slice_id) == ("unexpected", "17850", key["SliceId"]["S"])


def test_a_line_deleted_from_an_item(sent: Stores, csv: Path) -> None:
    """The item is there, one of its lines is not."""
    delete_second_line(sent, "536365")
    finding = only(report_on(sent, csv))
    assert (finding.kind, finding.line, finding.index) == ("missing", 3, 1)


def test_an_altered_price(sent: Stores, csv: Path) -> None:
    """The item is named, the row that it should say, and the field."""
    alter_first_price(sent, "536366")
    finding = only(report_on(sent, csv))
    assert (finding.kind, finding.line, finding.index) == ("changed", 4, 2)
    assert (finding.object, finding.slice_id) == (RAW_KEY, slice_id(sent, "536366"))
    assert finding.message.endswith(": UnitPrice")


def test_an_altered_price_of_a_line_without_occurrence(stores: Stores) -> None:
    """Its line id is stored with it and tells nothing of its values."""
    send(stores, [row()])
    alter_first_price(stores, "536365")
    assert (only(report_on(stores)).kind, only(report_on(stores)).invoice_no) == ("changed", "536365")


@pytest.mark.parametrize(
    "copied_to",
    [
        RAW_KEY.replace("hour=22", "hour=21"),
        RAW_KEY.replace("hour=22", "hour=23"),
        RAW_KEY.replace(".ndjson", "=0123456789abcdef.ndjson"),
    ],
)
def test_an_object_doubled_under_another_name_of_its_batch(sent: Stores, csv: Path, copied_to: str) -> None:
    """Its key is wrong; its rows count once."""
    copy(sent, RAW_KEY, copied_to)
    report = report_on(sent, csv)
    findings = [(each.kind, each.object, each.batch_id) for each in report.findings.kept]
    assert findings == [("misnamed", copied_to, BATCH)]
    assert report.repeated_rows == 3


def test_rows_that_were_sent_again_are_a_note(sent: Stores, csv: Path) -> None:
    """The archive has them twice, every answer counts them once."""
    send(sent, [row(Description="WHITE HEART", Occurrence=n) for n in (2, 1)], NAMED)
    report = report_on(sent, csv)
    assert (report.findings.is_clean, report.repeated_rows) == (True, 2)
    assert (report_on(sent).findings.is_clean, report_on(sent).repeated_rows) == (True, 2)


def test_rows_without_occurrence_are_new_each_time(sent: Stores, csv: Path) -> None:
    """That is how they were sent, so nothing is wrong with them."""
    send(sent, [row(Description="WHITE HEART")], NAMED)
    report = report_on(sent, csv)
    assert (report.findings.is_clean, report.repeated_rows, report.lines) == (True, 0, 4)


def test_a_csv_that_is_day_first(stores: Stores, tmp_path: Path) -> None:
    """Its dates are read as the client read them."""
    csv = write(tmp_path / "rows.csv", f"{HEADER}\n{VALUES.replace('12/1/2010', '2/1/2010')}")
    send(stores, [row(Description="WHITE HEART", InvoiceDate="1/2/2010 8:26", Occurrence=1)])
    assert verify(stores, Scope(csv, options=FileOptions(day_first=True)), NO_BAR).findings.is_clean
    assert not report_on(stores, csv).findings.is_clean


def test_a_csv_is_judged_by_its_own_rows(sent: Stores, csv: Path) -> None:
    """A line that another batch lost is found without the CSV, and not with it."""
    send(sent, [row(InvoiceNo="9", CustomerID=None)], NAMED)
    sent.dynamodb.delete_item(TableName="invoices", Key=slice_key_of(sent, "9"))
    assert report_on(sent, csv).findings.is_clean
    assert [each.invoice_no for each in report_on(sent).findings.kept] == ["9"]


def test_a_redriven_row_is_looked_for_too(sent: Stores) -> None:
    """It is in no raw object as it was stored."""
    send(sent, [row(InvoiceNo="9", Quantity="six")], NAMED)
    Redrive(sent.bucket, index_of(sent)).run(keys(sent, "failed/")[0], Fix({"Quantity": "6"}))
    assert report_on(sent).findings.is_clean
    sent.dynamodb.delete_item(TableName="invoices", Key=slice_key_of(sent, "9"))
    found = [(each.kind, each.message) for each in report_on(sent).findings.kept if each.where == "invoices"]
    assert found == [("missing", "a redriven row is not in the tables")]


def test_only_the_first_findings_are_kept() -> None:
    """All are counted."""
    findings = Findings(most_kept=2)
    for number in range(5):
        findings.add(Finding(Kind.MISSING, Where.ARCHIVE, "", line=number, rows=2))
    assert ([each.line for each in findings.kept], findings.counts.total()) == ([0, 1], 10)


def test_a_row_that_was_never_sent(sent: Stores, csv: Path) -> None:
    """It is missing in both stores, by the CSV's line."""
    csv.write_text(csv.read_text() + "\n" + VALUES.replace("536365", "536367"))
    found = [(each.kind, each.where, each.line) for each in report_on(sent, csv).findings.kept]
    assert found == [("missing", "archive", 6), ("missing", "invoices", 6)]


def test_a_deleted_object(sent: Stores, csv: Path) -> None:
    """Its rows are in the tables and nowhere else."""
    sent.bucket.delete(RAW_KEY)
    found = [(each.kind, each.where, each.line) for each in report_on(sent, csv).findings.kept]
    assert found == [("missing", "archive", 2), ("missing", "archive", 3), ("missing", "archive", 4)]


def test_a_line_stored_under_two_ids(sent: Stores, csv: Path) -> None:
    """As a consumer would that takes a sequence number for an identity."""
    send(sent, [row(Description="WHITE HEART")], NAMED)
    sent.bucket.delete(f"raw/dt=1970-01-01/hour=00/{NAMED}.ndjson.gz")
    finding = only(report_on(sent, csv))
    assert (finding.kind, finding.where, finding.invoice_no) == ("doubled", "invoices", "536365")


def test_a_line_from_nowhere(sent: Stores) -> None:
    """The whole archive explains every line of the tables, or somebody else wrote it."""
    send(sent, [row(InvoiceNo="9", CustomerID=None)], NAMED)
    sent.bucket.delete(f"raw/dt=1970-01-01/hour=00/{NAMED}.ndjson.gz")
    assert (only(report_on(sent)).kind, only(report_on(sent)).invoice_no) == ("unexpected", "9")


def test_hours_of_the_archive(sent: Stores) -> None:
    """Lines of other hours are not looked for, and not held against the tables."""
    send(sent, [row(InvoiceNo="9")], NAMED)
    sent.dynamodb.delete_item(TableName="invoices", Key=slice_key_of(sent, "536366"))
    undated = verify(sent, Scope(span=hour_range("1970-01-01", "1970-01-02")), NO_BAR)
    dated = verify(sent, Scope(span=hour_range("2023-11-14T22", "2023-11-14T23")), NO_BAR)
    assert {each.where for each in undated.findings.kept} == {"customers"}
    assert [each.invoice_no for each in dated.findings.kept if each.where == "invoices"] == ["536366"]


def test_an_item_that_is_no_slice(sent: Stores, csv: Path) -> None:
    """It is named, and what it should hold is missing; it stops nothing."""
    key = slice_key_of(sent, "536366")
    sent.dynamodb.put_item(TableName="invoices", Item={**key, "Lines": {"S": "lost"}})
    kinds = [(each.kind, each.where, each.invoice_no) for each in report_on(sent, csv).findings.kept]
    assert ("unreadable", "invoices", "536366") in kinds
    assert ("missing", "invoices", "536366") in kinds


def test_a_deleted_pointer(sent: Stores, csv: Path) -> None:
    """It is named by customer and slice."""
    name = slice_id(sent, "536366")
    pointer = {"CustomerID": {"S": "17850"}, "Slice": {"S": f"536366#{name}"}}
    sent.dynamodb.delete_item(TableName="customers", Key=pointer)
    finding = only(report_on(sent, csv))
    assert (finding.kind, finding.where, finding.slice_id) == ("missing", "customers", name)


def test_refused_rows_are_accounted_for(stores: Stores) -> None:
    """A row of a raw object that is no line must have been set aside."""
    send(stores, [row(), row(Quantity="six")])
    assert report_on(stores).findings.is_clean
    stores.bucket.delete(keys(stores, "failed/")[0])
    finding = only(report_on(stores))
    assert (finding.kind, finding.where, finding.index) == ("missing", "failed", 1)


def test_an_object_without_rows(stores: Stores) -> None:
    """An archived record that cannot be read was set aside as a whole, or is damaged."""
    deliver(stores, pack(b"rows")[:-9])
    assert report_on(stores).findings.is_clean
    stores.bucket.delete(keys(stores, "failed/")[0])
    assert (only(report_on(stores)).kind, only(report_on(stores)).object) == ("unreadable", RAW_KEY)


NINE = {"AsOf": "2026-11-26T09:00:00Z"}


def take_back(stores: Stores, batch_id: str = "back") -> None:
    """The first row of the CSV, which is then sent once more."""
    first = row(Occurrence=1, Description="WHITE HEART")
    send(stores, [{**first, **NINE, "Withdrawn": True}], batch_id)
    send(stores, [first], "again")


def test_a_row_that_was_taken_back_is_a_note(sent: Stores, csv: Path) -> None:
    """It is in the CSV and counts nowhere. Only the row that was sent once more was sent before."""
    take_back(sent)
    for report in (report_on(sent, csv), report_on(sent)):
        assert report.findings.is_clean
        assert (report.lines, report.withdrawn, report.repeated_rows) == (2, 1, 1)


def test_a_withdrawal_that_the_tables_lost(sent: Stores, csv: Path) -> None:
    """The line counts although it was taken back."""
    before = {each["SliceId"]["S"] for each in sent.dynamodb.scan(TableName="invoices")["Items"]}
    take_back(sent)
    for item in sent.dynamodb.scan(TableName="invoices")["Items"]:
        if "Withdrawn" in item["Columns"]["S"] and item["SliceId"]["S"] not in before:
            sent.dynamodb.delete_item(TableName="invoices", Key={name: item[name] for name in ("InvoiceNo", "SliceId")})
    lost = [each for each in report_on(sent, csv).findings.kept if each.where == "invoices"]
    assert [(each.kind, each.line) for each in lost] == [("missing", 2)]


def test_a_withdrawal_that_nobody_archived(sent: Stores, csv: Path) -> None:
    """A table says that the line is taken back, and no raw object does."""
    take_back(sent)
    (key,) = (key for key in keys(sent, "raw/") if "/back." in key)
    sent.bucket.delete(key)
    wrong = report_on(sent, csv).findings.kept
    assert [(each.kind, each.where, each.line) for each in wrong] == [("unexpected", "invoices", 2)]


ARRIVALS = [
    [row(InvoiceNo="536367", Occurrence=1)],
    [row(Occurrence=1, Description="WHITE HEART", AsOf="2026-11-26T09:00:00Z", Withdrawn=True)],
    [row(InvoiceNo="536367", Quantity="six")],
]


@pytest.mark.parametrize("rows", ARRIVALS, ids=["a line", "a statement", "an invalid row"])
@pytest.mark.parametrize("step", ["archive.raw_keys", "tables.stored_slices", "tables.stored_pointers"])
def test_what_arrives_while_it_reads_is_no_finding(
    sent: Stores, rows: list[Row], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the dead letters, the archive or the slices were read."""
    name = f"pipeline_ops.verify.{step}"
    read = pkgutil.resolve_name(name)
    arrivals = iter([rows])

    def read_later(*arguments: object) -> object:
        for each in arrivals:
            send(sent, each, LATER)
        return read(*arguments)

    monkeypatch.setattr(name, read_later)
    assert report_on(sent).findings.kept == []


def test_a_line_that_is_archived_late_may_be_lost_all_the_same(sent: Stores) -> None:
    """A line that stays out of the archive is found, and the message says what to do if it is new."""
    send(sent, [row(InvoiceNo="536367", Occurrence=1)], LATER)
    sent.bucket.delete(raw_key(LATER))
    finding = only(report_on(sent))
    assert (finding.kind, finding.invoice_no) == (Kind.UNEXPECTED, "536367")
    assert finding.message.endswith("in no raw object; if it arrived in the last minute, run verify again")
