"""What a CSV should leave in the stores, what they hold, and the differences."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aws.bucket import raw_key
from aws.clients import sqs_client
from aws.items import pointer_items, slice_item
from invoices.batch import pack
from invoices.invoice import slices_of
from invoices.line import Line, line_id
from invoices.rows import read_ndjson
from local_runtime.comparison import (
    Expected,
    Stored,
    StoreNames,
    compare,
    read_expected,
    read_stored,
    store_names,
)
from local_runtime.errors import RunError
from local_runtime.messages import UploadSummary
from local_runtime.stack.resources import Clients
from pipeline_ops.expected import FileOptions
from tests.invoice_rows import Row, ndjson, row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
ROW = "536365,85123A,LANTERN,6,12/1/2010 8:26,2.55,17850,United Kingdom"
NAMES = StoreNames("raw-bucket", "invoices", "customers")


def _read(folder: Path, *rows: str, encoding: str = "utf-8") -> Expected:
    path = folder / "rows.csv"
    path.write_text("\r\n".join((HEADER, *rows)), encoding=encoding)
    return read_expected(path)


def _line_ids(*occurrences: int) -> set[bytes]:
    values = dict(zip(HEADER.split(","), ROW.split(","), strict=True))
    lines = [Line.model_validate({**values, "Occurrence": occurrence}) for occurrence in occurrences]
    return {bytes.fromhex(line_id(line, "", 0)) for line in lines}


@pytest.fixture
def clients(kinesis: "KinesisClient", s3: "S3Client", dynamodb: "DynamoDBClient") -> Clients:
    return Clients(kinesis, s3, dynamodb, sqs_client())


def _index(clients: Clients, *rows: Row) -> None:
    for invoice_slice in slices_of(read_ndjson(ndjson(rows)), "a"):
        clients.dynamodb.put_item(TableName="invoices", Item=slice_item(invoice_slice))
        for pointer in pointer_items(invoice_slice):
            clients.dynamodb.put_item(TableName="customers", Item=pointer)


def _expected(*line_ids: str) -> Expected:
    expected = Expected(rows_read=len(line_ids))
    for each in line_ids:
        expected.tally.add(bytes.fromhex(each), Line.model_validate(row()))
    return expected


def _stored(*line_ids: str) -> Stored:
    stored = Stored(raw_objects=1, raw_rows=len(line_ids), pointed={("17850", "536365")})
    for each in line_ids:
        stored.tally.add(bytes.fromhex(each), Line.model_validate(row()))
    return stored


def _differences(expected: Expected, stored: Stored) -> list[str]:
    summary = UploadSummary("summary", 2, 2, 0, 0, 1.0)
    return [each.name for each in compare(expected, summary, stored) if not each.is_equal]


def test_a_repeated_row_is_a_line_of_its_own(tmp_path: Path) -> None:
    """Its line id contains its number among the rows with the same content."""
    assert _read(tmp_path, ROW, ROW, ROW).tally.line_ids == _line_ids(1, 2, 3)


def test_rows_with_the_same_meaning_are_repeats(tmp_path: Path) -> None:
    """`2.55` and `2.550` are one price: content is compared in its normal form."""
    expected = _read(tmp_path, ROW, ROW.replace("2.55", "2.550").replace("17850", "17850.0"))
    assert expected.tally.line_ids == _line_ids(1, 2)


def test_a_row_that_is_not_a_line_is_rejected(tmp_path: Path) -> None:
    """It is counted as rejected, and in no other figure."""
    expected = _read(tmp_path, ROW, ROW.replace(",6,", ",six,"), ROW + ",more")
    assert (expected.rows_read, expected.rejected, len(expected.tally.line_ids)) == (3, 2, 1)


def test_sums_are_exact(tmp_path: Path) -> None:
    """Money is never a float."""
    expected = _read(tmp_path, *([ROW.replace(",6,", ",1,").replace("2.55", "0.1")] * 3))
    assert expected.tally.amount == Decimal("0.3")


def test_a_row_without_a_customer_makes_no_pair(tmp_path: Path) -> None:
    """Only its invoice counts."""
    tally = _read(tmp_path, ROW, ROW.replace("17850", "").replace("536365", "536366")).tally
    assert (tally.pairs, len(tally.invoices)) == ({("17850", "536365")}, 2)


def test_an_example_counts_all_of_its_rows(tmp_path: Path) -> None:
    """An invoice counts its rows without a customer, too."""
    expected = _read(tmp_path, ROW.replace("17850", ""), ROW)
    assert expected.invoice is not None
    assert expected.customer is not None
    assert (expected.invoice.lines, expected.customer.lines) == (2, 1)


def test_the_example_invoice_has_a_few_lines(tmp_path: Path) -> None:
    """One line is little to look at, and many are cut off; a file without such an invoice has its first."""
    rows = [ROW.replace("536365", number) for number in ("1", "2", "2", "2", "2", "3", "3")]
    (tmp_path / "rows.csv").write_text("\n".join([HEADER, *rows]))
    (tmp_path / "few.csv").write_text("\n".join([HEADER, *rows[:5]]))
    examples = [read_expected(tmp_path / name).invoice for name in ("rows.csv", "few.csv")]
    assert [(each.name, each.lines) for each in examples if each] == [("3", 2), ("1", 1)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_the_encoding_is_detected(tmp_path: Path, encoding: str) -> None:
    """It is UTF-8 with or without a byte order mark, or cp1252, which spreadsheets write."""
    expected = _read(tmp_path, ROW.replace("LANTERN", "£5 LANTERN"), encoding=encoding)
    assert (expected.accepted, len(expected.tally.line_ids)) == (1, 1)


def test_a_gzip_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    """Its first bytes decide."""
    (tmp_path / "rows.csv").write_bytes(gzip.compress(f"{HEADER}\n{ROW}\n".encode()))
    assert read_expected(tmp_path / "rows.csv").accepted == 1


def test_a_day_first_file_is_read_as_the_client_read_it(tmp_path: Path) -> None:
    """13/12/2010 is no date with the month first."""
    (tmp_path / "rows.csv").write_text(f"{HEADER}\n1,A,,1,13/12/2010 8:26,1,,EIRE\n")
    accepted = [read_expected(tmp_path / "rows.csv", FileOptions(day_first)).accepted for day_first in (True, False)]
    assert accepted == [1, 0]


@pytest.mark.parametrize("text", ["", "\n\r\n", HEADER, f"\n{HEADER}\n\n\n"])
def test_a_file_without_rows_should_leave_nothing(tmp_path: Path, text: str) -> None:
    """It may be empty, or have only a header or blank lines."""
    (tmp_path / "rows.csv").write_text(text)
    assert read_expected(tmp_path / "rows.csv") == Expected()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"InvoiceNo,StockCode\n1,2\n", "must name these columns"),
        (b"\x1f\x8bnot gzip", "is damaged"),
        (f"{HEADER}\n".encode() + b"\x81\x8d", "not text in UTF-8, cp1252 or UTF-16"),
    ],
)
def test_an_unreadable_file_is_an_error(tmp_path: Path, data: bytes, message: str) -> None:
    """The message is one sentence, without the file's content."""
    (tmp_path / "rows.csv").write_bytes(data)
    with pytest.raises(RunError, match=message):
        read_expected(tmp_path / "rows.csv")


def test_overlapping_slices_count_each_line_once(clients: Clients) -> None:
    """The same row in two slices is one line, and its amount is added once."""
    _index(clients, row(Occurrence=1))
    _index(clients, row(Occurrence=1), row(Occurrence=2))
    stored = read_stored(clients, NAMES)
    assert (stored.slices, len(stored.tally.line_ids), stored.tally.amount) == (2, 2, Decimal("30.60"))


def test_customers_are_those_of_the_pointers(clients: Clients) -> None:
    """Several pointers of one customer to one invoice are one pair."""
    _index(clients, row(Occurrence=1))
    _index(clients, row(Occurrence=2), row(InvoiceNo="536366", Occurrence=1))
    stored = read_stored(clients, NAMES)
    pairs = {("17850", "536365"), ("17850", "536366")}
    assert (stored.customers, stored.pointers, stored.pointed) == (1, 3, pairs)


def test_every_row_of_every_raw_object_counts(clients: Clients) -> None:
    """There may be any number of objects, and the last line break may be missing."""
    for batch_id in ("a", "b"):
        data = pack(json.dumps(row()).encode() + b"\n" + json.dumps(row()).encode())
        clients.s3.put_object(Bucket="raw-bucket", Key=raw_key(batch_id), Body=data)
    stored = read_stored(clients, NAMES)
    assert (stored.raw_objects, stored.raw_rows) == (2, 4)


def test_every_other_object_is_a_dead_letter(clients: Clients) -> None:
    """A consumer or Lambda has written it. What the API rejected and what says who is erased are none."""
    for key in ("failed/to_s3/1", "aws/lambda/2", "rejected/3", "erased/4"):
        clients.s3.put_object(Bucket="raw-bucket", Key=key, Body=b"{}")
    assert read_stored(clients, NAMES).dead_letters == 2


def test_empty_stores_hold_nothing(clients: Clients) -> None:
    """This is the state after a file without rows."""
    stored = read_stored(clients, NAMES)
    assert (stored.raw_objects, stored.slices, stored.tally.amount) == (0, 0, Decimal(0))


def test_a_store_without_a_name_is_an_error() -> None:
    """The message names the variable that no function has."""
    with pytest.raises(RunError, match="the environment variable INVOICES_TABLE"):
        store_names({"RAW_BUCKET": "raw-bucket"})


def test_equal_sets_have_no_difference() -> None:
    """All figures are equal."""
    assert _differences(_expected("aa", "bb"), _stored("aa", "bb")) == []


def test_another_line_with_equal_counts_is_a_difference() -> None:
    """Line ids are compared, not counts alone."""
    assert _differences(_expected("aa", "bb"), _stored("aa", "cc")) == ["lines missing", "lines not in the CSV"]


def test_a_missing_pointer_is_a_difference() -> None:
    """The invoice is stored, but its customer does not lead to it."""
    stored = _stored("aa", "bb")
    stored.pointed = set()
    names = ["customers", "customer and invoice pairs", "pairs without a pointer"]
    assert _differences(_expected("aa", "bb"), stored) == names
