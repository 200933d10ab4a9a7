"""The report for the eye: one screen."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TypedDict

import httpx
from pydantic import TypeAdapter, ValidationError
from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from aws.bucket import RAW, Bucket
from aws.items import POINTER_SEPARATOR
from invoices.batch import unpack
from invoices.invoice import Slice
from invoices.limits import MAX_BODY_BYTES
from invoices.line import Line
from invoices.money import exact_product, exact_sum, money_text
from invoices.rows import split_ndjson
from local_runtime.errors import RunError
from local_runtime.stack.resources import Clients
from local_runtime.upload import Progress, UploadSummary
from pipeline_ops.errors import OpsError
from pipeline_ops.expected import ExpectedRow, expected_rows
from pipeline_ops.stored import Pointer, stored_pointers, stored_slices

# What a set of lines adds up to, each line counted once by its line id.


@dataclass
class Tally:
    """`line_ids` holds bytes, not text: half the memory for half a million lines."""

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
    """One invoice or customer, to be asked for over HTTP: what its own lines add up to."""

    name: str
    belongs: Callable[[Line], bool]
    lines: int = 0
    amount: Decimal = Decimal(0)

    def add(self, line: Line) -> None:
        if self.belongs(line):
            self.lines += 1
            self.amount = exact_sum(self.amount, exact_product(line.Quantity, line.UnitPrice))


# What a CSV holds, read with nothing of the client, and added up.


@dataclass
class Expected:
    """`rows_read` rows, of which `rejected` are no lines; the examples are the first that it names."""

    rows_read: int = 0
    rejected: int = 0
    tally: Tally = field(default_factory=Tally)
    invoice: Example | None = None
    customer: Example | None = None

    @property
    def accepted(self) -> int:
        return self.rows_read - self.rejected


def read_expected(path: Path) -> Expected:
    """Raises RunError where the file cannot be read as a CSV with the eight columns."""
    expected = Expected()
    try:
        for row in expected_rows(path):
            _count(expected, row)
    except OpsError as error:
        raise RunError(str(error)) from error
    return expected


def _count(expected: Expected, row: ExpectedRow) -> None:
    expected.rows_read += 1
    if row.line is None:
        expected.rejected += 1
        return
    expected.tally.add(row.line_id, row.line)
    _choose_examples(expected, row.line)
    for example in (expected.invoice, expected.customer):
        if example:
            example.add(row.line)


def _choose_examples(expected: Expected, line: Line) -> None:
    """Each at its first row, so none of its rows is passed over."""
    if expected.invoice is None:
        invoice = line.InvoiceNo
        expected.invoice = Example(invoice, lambda other: other.InvoiceNo == invoice)
    if expected.customer is None and (customer := line.CustomerID):
        expected.customer = Example(customer, lambda other: other.CustomerID == customer)


# What the stores hold: every slice and pointer in the tables, every row in the raw objects.


@dataclass(frozen=True)
class Places:
    """The names of the bucket and the tables, as the functions have them in their environment."""

    bucket: str
    invoices_table: str
    customers_table: str


@dataclass
class Stored:
    """`tally` is the union of all slices; `pointed` are the (customer, invoice) pairs that pointers lead to.

    Every object that is not a raw one is a record that a consumer, or Lambda for it, has set aside.
    """

    tally: Tally = field(default_factory=Tally)
    slices: int = 0
    pointers: int = 0
    pointed: set[tuple[str, str]] = field(default_factory=set)
    raw_objects: int = 0
    raw_rows: int = 0
    set_aside: int = 0

    @property
    def customers(self) -> int:
        return len({customer for customer, _ in self.pointed})


def read_stored(clients: Clients, places: Places) -> Stored:
    """Items that cannot be read hold nothing: their lines will be missing."""
    stored = Stored()
    for invoice_slice in stored_slices(clients.dynamodb, places.invoices_table):
        if isinstance(invoice_slice, Slice):
            _add_slice(stored, invoice_slice)
    for pointer in stored_pointers(clients.dynamodb, places.customers_table):
        _add_pointer(stored, pointer)
    bucket = Bucket(clients.s3, places.bucket)
    for each in bucket.objects(prefix=""):
        _add_object(stored, bucket, each.key)
    return stored


def _add_slice(stored: Stored, invoice_slice: Slice) -> None:
    stored.slices += 1
    for line_id, line in invoice_slice.lines.items():
        stored.tally.add(bytes.fromhex(line_id), line)


def _add_pointer(stored: Stored, pointer: Pointer) -> None:
    stored.pointers += 1
    invoice_no = pointer.slice_name.partition(POINTER_SEPARATOR)[0]
    stored.pointed.add((pointer.customer_id, invoice_no))


def _add_object(stored: Stored, bucket: Bucket, key: str) -> None:
    if not key.startswith(RAW):
        stored.set_aside += 1
        return
    stored.raw_objects += 1
    stored.raw_rows += len(split_ndjson(unpack(bucket.read(key), MAX_BODY_BYTES)))


# The report's figures: each as the CSV has it beside what the pipeline has.


@dataclass(frozen=True)
class Comparison:
    """One line of the report. `expected` comes from the file alone, `actual` from the pipeline alone."""

    name: str
    expected: int | Decimal
    actual: int | Decimal

    @property
    def agrees(self) -> bool:
        return self.expected == self.actual


class Contract(TypedDict):
    """The keys that tools outside this repository read from report.json."""

    rows_read: int
    accepted: int
    rejected: int
    raw_objects: int
    raw_rows: int
    invoices: int
    lines: int
    customers: int
    seconds: float


def compared(expected: Expected, summary: UploadSummary, stored: Stored) -> list[Comparison]:
    file, store = expected.tally, stored.tally
    return [
        Comparison("rows read", expected.rows_read, summary.rows_read),
        Comparison("rows accepted", expected.accepted, summary.accepted),
        Comparison("rows rejected", expected.rejected, summary.rejected),
        Comparison("rows in raw objects", expected.accepted, stored.raw_rows),
        Comparison("lines", len(file.line_ids), len(store.line_ids)),
        Comparison("lines missing", 0, len(file.line_ids - store.line_ids)),
        Comparison("lines that the CSV lacks", 0, len(store.line_ids - file.line_ids)),
        Comparison("invoices", len(file.invoices), len(store.invoices)),
        Comparison("customers", len(file.customers), stored.customers),
        Comparison("customer and invoice pairs", len(file.pairs), len(stored.pointed)),
        Comparison("pairs without a pointer", 0, len(file.pairs - stored.pointed)),
        Comparison("total amount", file.amount, store.amount),
        Comparison("objects set aside", 0, stored.set_aside),
    ]


def contract(summary: UploadSummary, stored: Stored, seconds: float) -> Contract:
    return {
        "rows_read": summary.rows_read,
        "accepted": summary.accepted,
        "rejected": summary.rejected,
        "raw_objects": stored.raw_objects,
        "raw_rows": stored.raw_rows,
        "invoices": len(stored.tally.invoices),
        "lines": len(stored.tally.line_ids),
        "customers": stored.customers,
        "seconds": round(seconds, 3),
    }


@dataclass(frozen=True)
class Report:
    contract: Contract
    comparisons: list[Comparison]
    slices: int
    pointers: int
    rows_per_second: Mapping[str, float]
    peak_memory: Mapping[str, int]

    @property
    def agrees(self) -> bool:
        return all(comparison.agrees for comparison in self.comparisons)


def rows_per_second(progress: Progress) -> dict[str, float]:
    return {stage.label: round(stage.rows_per_second, 1) for stage in progress.stages}


def write_report(report: Report, path: Path) -> None:
    """The contract's keys first; whoever reads them may ignore the rest."""
    figures = {
        **report.contract,
        "agrees": report.agrees,
        "compared": {
            each.name: {"csv": _plain(each.expected), "pipeline": _plain(each.actual)} for each in report.comparisons
        },
        "slices": report.slices,
        "pointers": report.pointers,
        "rows_per_second": report.rows_per_second,
        "peak_memory_bytes": report.peak_memory,
    }
    path.write_text(json.dumps(figures, indent=2) + "\n")


def _plain(value: int | Decimal) -> int | str:
    """Money as text, never as a float."""
    return value if isinstance(value, int) else format(value, "f")


# Two example queries over HTTP, for an invoice and a customer that the file holds.


@dataclass(frozen=True)
class Answer:
    """The part of an invoice's or customer's answer that is compared; the rest is shown as it came."""

    line_count: int
    total: Decimal


@dataclass(frozen=True)
class Query:
    """`command` is what a user types for the same answer; `text` is the answer's own JSON."""

    command: str
    path: str
    text: str
    comparisons: list[Comparison]


_ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)
_SHOWN_LINES = 2


def ask_examples(expected: Expected, http: httpx.Client, python: str) -> list[Query]:
    """None for a file without lines; one where no line has a customer. `python` stands in the commands to type."""
    wanted = [("invoice", expected.invoice), ("customer", expected.customer)]
    return [_ask(http, kind, example, python) for kind, example in wanted if example]


def _ask(http: httpx.Client, kind: str, example: Example, python: str) -> Query:
    path = f"/{kind}s/{example.name}"
    parameters = {"limit": _SHOWN_LINES} if kind == "invoice" else {}
    response = http.get(path, params=parameters)
    return Query(
        command=f"{python} -m client {kind} {example.name} --url {str(http.base_url).rstrip('/')}",
        path=str(response.request.url.raw_path, "ascii"),
        text=response.text,
        comparisons=_compared(f"{kind} {example.name}", example, response),
    )


def _compared(name: str, example: Example, response: httpx.Response) -> list[Comparison]:
    try:
        answer = _ANSWER.validate_json(response.content)
    except ValidationError:
        return [Comparison(f"status of {name}", httpx.codes.OK.value, response.status_code)]
    return [
        Comparison(f"lines of {name}", example.lines, answer.line_count),
        Comparison(f"total of {name}", example.amount, answer.total),
    ]


_BYTES_PER_MB = 1_000_000
_SHOWN_CHARACTERS = 420


def show_report(console: Console, report: Report, queries: Iterable[Query], path: Path) -> None:
    console.print(comparison_table(report.comparisons))
    console.print(speed_table(report))
    for query in queries:
        console.print(query_panel(query))
    verdict = "[green]✓ the stores hold exactly what the CSV holds" if report.agrees else "[red]✗ the stores differ"
    console.print(f"{verdict}[/] (figures in {escape(str(path))})", highlight=False)


def comparison_table(comparisons: Iterable[Comparison]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("in the CSV", justify="right")
    table.add_column("in the pipeline", justify="right")
    table.add_column("")
    for each in comparisons:
        mark = "[green]✓" if each.agrees else "[red]✗"
        table.add_row(escape(each.name), figure_text(each.expected), figure_text(each.actual), mark)
    return table


def speed_table(report: Report) -> Group:
    speeds = (f"{label} {speed:,.0f}" for label, speed in report.rows_per_second.items())
    peaks = (f"{name} {size / _BYTES_PER_MB:,.0f}" for name, size in report.peak_memory.items())
    held = f"{report.contract['raw_objects']:,} raw objects, {report.slices:,} slices, {report.pointers:,} pointers"
    lines = [f"{report.contract['seconds']:,.1f} s for {held}", "rows/s: " + ", ".join(speeds)]
    if report.peak_memory:
        lines.append("peak memory in MB: " + ", ".join(peaks))
    return Group(*lines)


def query_panel(query: Query) -> Panel:
    """The answer on few lines; a list inside is cut short, and says so."""
    text = json.dumps(json.loads(query.text), ensure_ascii=False)
    shown = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + " …"
    return Panel(escape(shown), title=escape(f"GET {query.path}"), subtitle=escape(query.command), title_align="left")


def figure_text(figure: int | Decimal) -> str:
    """Money with all of its decimals, but at least two."""
    if isinstance(figure, int):
        return f"{figure:,}"
    whole, _, decimals = money_text(figure).partition(".")
    return f"{int(whole):,}.{decimals}" if int(whole) else f"{whole}.{decimals}"
