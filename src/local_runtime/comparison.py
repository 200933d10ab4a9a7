"""What a CSV should leave in the stores, what they hold, and where the two differ.

The CSV is read without any code of the client, so a mistake of the client's is found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from botocore.credentials import Credentials

from aws.bucket import ERASED, RAW, REJECTED, Bucket
from aws.items import POINTER_SEPARATOR
from consumers.lake.table import LakeTable
from invoices.batch import unpack
from invoices.invoice import Slice
from invoices.limits import MAX_BODY_BYTES
from invoices.line import Line
from invoices.money import exact_product, exact_sum
from invoices.rows import split_ndjson
from local_runtime.environment import ACCESS_KEY
from local_runtime.errors import RunError
from local_runtime.messages import UploadSummary
from local_runtime.stack.resources import Clients
from pipeline_ops.errors import OpsError
from pipeline_ops.expected import NO_OPTIONS, ExpectedRow, FileOptions, expected_rows
from pipeline_ops.lake import lake_lines
from pipeline_ops.stored import Pointer, stored_pointers, stored_slices

_FEW_LINES = (2, 3)
_CANDIDATES = 100  # the first invoices of the file


@dataclass
class Tally:
    """The sums of a set of lines, in which each line id counts once.

    `line_ids` holds bytes, not text: half the memory for half a million lines.
    """

    line_ids: set[bytes] = field(default_factory=set)
    invoices: set[str] = field(default_factory=set)
    customers: set[str] = field(default_factory=set)
    pairs: set[tuple[str, str]] = field(default_factory=set)
    amount: Decimal = Decimal(0)

    def add(self, line_id: bytes, line: Line) -> None:
        if line_id in self.line_ids:
            return
        self.line_ids.add(line_id)
        self.amount = exact_sum(self.amount, exact_product(line.Quantity, line.UnitPrice))
        self.invoices.add(line.InvoiceNo)
        if line.CustomerID:
            self.customers.add(line.CustomerID)
            self.pairs.add((line.CustomerID, line.InvoiceNo))


@dataclass
class Example:
    """One invoice or customer of the file, and the sums of its own lines."""

    name: str
    lines: int = 0
    amount: Decimal = Decimal(0)

    def add(self, line: Line) -> None:
        self.lines += 1
        self.amount = exact_sum(self.amount, exact_product(line.Quantity, line.UnitPrice))


@dataclass
class Expected:
    """`rejected` counts the rows that are not valid. The examples are an early invoice and the first customer."""

    rows_read: int = 0
    rejected: int = 0
    tally: Tally = field(default_factory=Tally)
    invoice: Example | None = None
    customer: Example | None = None

    @property
    def accepted(self) -> int:
        return self.rows_read - self.rejected


@dataclass
class Stored:
    """`tally` is the union of all slices; `pointed` are the (customer, invoice) pairs of the pointers.

    Every object outside `raw/` is a dead letter. A consumer wrote it, or its event source mapping.
    """

    tally: Tally = field(default_factory=Tally)
    slices: int = 0
    pointers: int = 0
    pointed: set[tuple[str, str]] = field(default_factory=set)
    raw_objects: int = 0
    raw_rows: int = 0
    dead_letters: int = 0
    lake: "LakeTally | None" = None

    @property
    def customers(self) -> int:
        return len({customer for customer, _ in self.pointed})


@dataclass
class LakeTally:
    """`rows` counts every row of the lake; `tally` counts each line id once."""

    rows: int = 0
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True)
class StoreNames:
    """`lake_bucket` is None where the template has no lake."""

    bucket: str
    invoices_table: str
    customers_table: str
    lake_bucket: str | None = None


@dataclass(frozen=True)
class Comparison:
    """One figure: `expected` comes from the file alone, `actual` from the pipeline alone."""

    name: str
    expected: int | Decimal
    actual: int | Decimal

    @property
    def is_equal(self) -> bool:
        return self.expected == self.actual


def compare(expected: Expected, summary: UploadSummary, stored: Stored) -> list[Comparison]:
    file, store = expected.tally, stored.tally
    return [
        Comparison("rows read", expected.rows_read, summary.rows_read),
        Comparison("rows accepted", expected.accepted, summary.accepted),
        Comparison("rows rejected", expected.rejected, summary.rejected),
        Comparison("rows in raw objects", expected.accepted, stored.raw_rows),
        Comparison("lines", len(file.line_ids), len(store.line_ids)),
        Comparison("lines missing", 0, len(file.line_ids - store.line_ids)),
        Comparison("lines not in the CSV", 0, len(store.line_ids - file.line_ids)),
        Comparison("invoices", len(file.invoices), len(store.invoices)),
        Comparison("customers", len(file.customers), stored.customers),
        Comparison("customer and invoice pairs", len(file.pairs), len(stored.pointed)),
        Comparison("pairs without a pointer", 0, len(file.pairs - stored.pointed)),
        Comparison("total amount", file.amount, store.amount),
        Comparison("dead letters", 0, stored.dead_letters),
        *(_compare_lake(file, stored.lake) if stored.lake else ()),
    ]


def _compare_lake(file: Tally, lake: LakeTally) -> list[Comparison]:
    return [
        Comparison("rows in the lake", len(file.line_ids), lake.rows),
        Comparison("lines missing in the lake", 0, len(file.line_ids - lake.tally.line_ids)),
        Comparison("lines of the lake not in the CSV", 0, len(lake.tally.line_ids - file.line_ids)),
        Comparison("total amount in the lake", file.amount, lake.tally.amount),
    ]


def read_expected(path: Path, options: FileOptions = NO_OPTIONS) -> Expected:
    """Raises RunError where the file cannot be read as a CSV with the eight columns."""
    expected = Expected()
    invoices: dict[str, Example] = {}
    try:
        for row in expected_rows(path, options):
            _add_row(expected, invoices, row)
    except OpsError as error:
        raise RunError(str(error)) from error
    expected.invoice = _invoice_worth_showing(list(invoices.values()))
    return expected


def _invoice_worth_showing(invoices: Sequence[Example]) -> Example | None:
    """The first with a few lines, which a screen shows whole; else the first."""
    return next((each for each in invoices if each.lines in _FEW_LINES), invoices[0] if invoices else None)


def store_names(variables: Mapping[str, str]) -> StoreNames:
    """From the functions' environment variables. Raises RunError where one is missing."""
    try:
        return StoreNames(
            variables["RAW_BUCKET"],
            variables["INVOICES_TABLE"],
            variables["CUSTOMERS_TABLE"],
            variables.get("LAKE_BUCKET"),
        )
    except KeyError as missing:
        raise RunError(f"no function of the template has the environment variable {missing.args[0]}") from missing


def read_stored(clients: Clients, names: StoreNames) -> Stored:
    """Everything in the tables and in the bucket. An unreadable item adds nothing, so its lines will be missing."""
    stored = Stored()
    for invoice_slice in stored_slices(clients.dynamodb, names.invoices_table):
        if isinstance(invoice_slice, Slice):
            _add_slice(stored, invoice_slice)
    for pointer in stored_pointers(clients.dynamodb, names.customers_table):
        _add_pointer(stored, pointer)
    bucket = Bucket(clients.s3, names.bucket)
    for each in bucket.objects(prefix=""):
        _add_object(stored, bucket, each.key)
    return stored


def read_lake(clients: Clients, bucket: str) -> LakeTally:
    """Every row of the lake. Nothing is in it before its first refresh."""
    lake = LakeTally()
    table = LakeTable(clients.s3, bucket, Credentials(ACCESS_KEY, ACCESS_KEY))
    with TemporaryDirectory(prefix="lake-") as cache:
        if table.exists():
            for line_id, line in lake_lines(table, Path(cache), table.snapshot()):
                lake.rows += 1
                lake.tally.add(line_id, line)
    return lake


def _add_row(expected: Expected, invoices: dict[str, Example], row: ExpectedRow) -> None:
    expected.rows_read += 1
    if row.line is None:
        expected.rejected += 1
        return
    expected.tally.add(row.line_id, row.line)
    _add_to_examples(expected, invoices, row.line)


def _add_to_examples(expected: Expected, invoices: dict[str, Example], line: Line) -> None:
    """An example is chosen at its first row, so that all of its rows are counted."""
    if line.InvoiceNo not in invoices and len(invoices) < _CANDIDATES:
        invoices[line.InvoiceNo] = Example(line.InvoiceNo)
    if expected.customer is None and line.CustomerID:
        expected.customer = Example(line.CustomerID)
    if invoice := invoices.get(line.InvoiceNo):
        invoice.add(line)
    if expected.customer and expected.customer.name == line.CustomerID:
        expected.customer.add(line)


def _add_slice(stored: Stored, invoice_slice: Slice) -> None:
    stored.slices += 1
    for line_id, line in invoice_slice.lines.items():
        stored.tally.add(bytes.fromhex(line_id), line)


def _add_pointer(stored: Stored, pointer: Pointer) -> None:
    stored.pointers += 1
    invoice_no = pointer.slice_name.partition(POINTER_SEPARATOR)[0]
    stored.pointed.add((pointer.customer_id, invoice_no))


def _add_object(stored: Stored, bucket: Bucket, key: str) -> None:
    if key.startswith((REJECTED, ERASED)):
        return
    if not key.startswith(RAW):
        stored.dead_letters += 1
        return
    stored.raw_objects += 1
    stored.raw_rows += len(split_ndjson(unpack(bucket.read(key), MAX_BODY_BYTES)))
