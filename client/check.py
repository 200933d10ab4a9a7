"""`send --dry-run`: reads a whole file and checks it by the API's own rules, and sends nothing.

The rules repeat `src/invoices/fields.py`, which the client does not import, for the columns of a file;
`tests/client/test_check.py` compares the two.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from client.columns import Column
from client.csv_file import open_source
from client.dates import parse_date
from client.reader import Reader
from client.records import Records
from client.report import DATES, notes_with_rows, plural, shown_name
from client.send import SendSettings, check_file, name_file

_NOT_TEXT = r"\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # DEL, C1, marks of the text's direction
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_QUANTITY = re.compile(r"-?[0-9]{1,9}")
_PRICE = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,6})?")
_LINE_TEXT = re.compile(rf"[^\x00-\x1f{_NOT_TEXT}]{{1,60}}")
_LONG_TEXT = re.compile(rf"[^\x00-\x08\x0b\x0c\x0e-\x1f{_NOT_TEXT}]{{0,500}}")


@dataclass(frozen=True, slots=True)
class Rule:
    """Whether the API takes a text in normal form, and what it says of any other."""

    is_valid: Callable[[str], object]
    message: str


_PLAIN = "must be text of 1 to 60 characters without control characters"
RULES: Mapping[str, Rule] = {
    "InvoiceNo": Rule(_ID.fullmatch, "must be 1 to 40 letters, digits, '_' or '-'"),
    "StockCode": Rule(_LINE_TEXT.fullmatch, _PLAIN),
    "Description": Rule(
        _LONG_TEXT.fullmatch, "must be text of at most 500 characters without control characters, or null"
    ),
    "Quantity": Rule(_QUANTITY.fullmatch, "must be a whole number of at most 9 digits"),
    "InvoiceDate": Rule(
        parse_date,
        "must be a date like 12/1/2010 8:26 (month first) or 2010-12-01T08:26:00; the time may be missing",
    ),
    "UnitPrice": Rule(
        _PRICE.fullmatch, "must be a decimal number with at most 9 digits before the point and 6 behind it"
    ),
    "CustomerID": Rule(
        lambda text: not text or _ID.fullmatch(text), "must be 1 to 40 letters, digits, '_' or '-', or null"
    ),
    "Country": Rule(_LINE_TEXT.fullmatch, _PLAIN),
}


@dataclass(slots=True)
class Reason:
    """Why rows are invalid: how many, and the first of their lines."""

    rows: int = 0
    first_line: int = 0

    def add(self, rows: int, line: int) -> None:
        self.rows += rows
        self.first_line = self.first_line or line


@dataclass(slots=True)
class CheckReport:
    """What a dry run found. `first` and `last` are invoice and line of the first and the last valid row."""

    file: Path
    form: str
    dates: str
    notes: tuple[str, ...]
    rows: int = 0
    invalid: int = 0
    reasons: dict[str, Reason] = field(default_factory=dict)
    first: tuple[str, int] | None = None
    last: tuple[str, int] | None = None
    first_date: str | None = None
    last_date: str | None = None

    @property
    def exit_code(self) -> int:
        return 1 if self.invalid else 0

    def add(self, records: Records, columns: Mapping[str, Column]) -> None:
        """Count neighbouring rows."""
        for broken in records.broken:
            self._add_reason(broken.reason, 1, broken.line)
        self.rows += len(records) + len(records.broken)
        self.invalid += len(records.broken)
        if len(records):
            self._add_rows(records, columns)

    def _add_rows(self, records: Records, columns: Mapping[str, Column]) -> None:
        is_valid = np.ones(len(records), np.bool_)
        for name, rule in RULES.items():
            fits = _fits(columns[name], rule)
            is_valid &= fits
            if not fits.all():
                wrong = np.flatnonzero(~fits)
                self._add_reason(f"{name} {rule.message}", len(wrong), int(records.lines[wrong[0]]))
        self.invalid += int(np.count_nonzero(~is_valid))
        if is_valid.any():
            self._add_valid(records, columns, np.flatnonzero(is_valid))

    def _add_valid(self, records: Records, columns: Mapping[str, Column], rows: NDArray[np.int64]) -> None:
        invoices, dates = columns["InvoiceNo"], columns["InvoiceDate"]
        ends = [(invoices.values[invoices.codes[row]], int(records.lines[row])) for row in (rows[0], rows[-1])]
        self.first, self.last = self.first or ends[0], ends[1]
        days = [dates.values[code] for code in np.unique(dates.codes[rows]).tolist()]
        self.first_date = min(filter(None, [self.first_date, *days]))
        self.last_date = max(filter(None, [self.last_date, *days]))

    def _add_reason(self, text: str, rows: int, line: int) -> None:
        self.reasons.setdefault(text, Reason()).add(rows, line)

    def event(self) -> dict[str, object]:
        """The line of `--json`."""
        return {
            "event": "check",
            "file": str(self.file),
            "rows_read": self.rows,
            "valid": self.rows - self.invalid,
            "invalid": self.invalid,
            "reasons": [
                {"message": text, "rows": reason.rows, "first_line": reason.first_line}
                for text, reason in self.reasons.items()
            ],
            "dates": self.dates,
            "first_date": self.first_date,
            "last_date": self.last_date,
            "first_invoice": self.first[0] if self.first else None,
            "last_invoice": self.last[0] if self.last else None,
            "notes": list(self.notes),
        }

    def show(self, console: Console) -> None:
        table = Table.grid(padding=(0, 2))
        for name, value in self._figures():
            table.add_row(name, Text(value))
        title = f"{shown_name(self.file)} ({self.form}, dates {DATES[self.dates]}): checked, nothing was sent"
        console.print(Text(title, style="bold"), soft_wrap=True)
        console.print(table)
        for text in (*notes_with_rows(self.notes, self.rows), *self._reason_texts()):
            console.print(Text(text), soft_wrap=True)

    def _figures(self) -> Iterator[tuple[str, str]]:
        yield "rows read", f"{self.rows:,}"
        yield "valid", f"{self.rows - self.invalid:,}"
        yield "invalid", f"{self.invalid:,}"
        if self.first and self.last:
            yield "dates", f"{self.first_date} to {self.last_date}"
            yield "first invoice", f"{self.first[0]} (line {self.first[1]:,})"
            yield "last invoice", f"{self.last[0]} (line {self.last[1]:,})"

    def _reason_texts(self) -> Iterator[str]:
        for text, reason in sorted(self.reasons.items(), key=lambda each: -each[1].rows):
            yield f"{plural(reason.rows, 'row')}, the first on line {reason.first_line:,}: {text}"


def check(settings: SendSettings) -> CheckReport:
    """Read the whole file. Raises BadInput where `send` would send nothing."""
    with name_file(settings.file), open_source(settings.file, settings.sheet) as source:
        notes = check_file(source, settings)
        order = settings.date_order if source.slashes.found else "iso"
        report = CheckReport(settings.file, source.form, order, notes)
        for records, columns in Reader(source, settings.date_order, settings.header).parsed_columns():
            report.add(records, columns)
        return report


def _fits(column: Column, rule: Rule) -> NDArray[np.bool_]:
    """For each row, whether its text fits the rule."""
    valid = np.array([bool(rule.is_valid(text)) for text in column.values], np.bool_)
    fits: NDArray[np.bool_] = valid[column.codes]
    return fits
