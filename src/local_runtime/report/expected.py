"""What a CSV holds, read with nothing of the client, and added up."""

from dataclasses import dataclass, field
from pathlib import Path

from invoices.line import Line
from local_runtime.errors import RunError
from local_runtime.report.tally import Example, Tally
from pipeline_ops.errors import OpsError
from pipeline_ops.expected import ExpectedRow, expected_rows


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
