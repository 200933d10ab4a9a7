"""`withdraw` and `correct`: which lines are taken back, which are stated, and their rows as of one instant.

A row is known by its content and by its number among equal rows: by the text that `send` sends of it. So rows that only
the old file has are taken back, rows that only the new file has are sent, and rows that both have stay as they are.
The changes go out in the order of their invoices: an invoice that fits into one batch changes at once.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from client.api import parse_url
from client.check import RULES
from client.columns import COLUMNS, Column, distinct
from client.csv_file import Source, open_source
from client.environment import Environment
from client.errors import BadInput
from client.header import Header
from client.journal import check_journal_path, open_journal
from client.reader import Chunk, ParsedBlock, Reader, Rows, RowSpan
from client.records import Records
from client.rejects import check_rejects_path
from client.report import Changes, plural, shown_name
from client.send import PreparedUpload, SendSettings, check_file, journal_header, name_file

_DIGEST_BYTES = 16


class _Change(NamedTuple):
    """A row that is taken back or stated. Sorted, the rows of an invoice stand together, withdrawals first."""

    invoice: str
    is_stated: bool
    line: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to change. `digest` and `size` are those of the files; `invalid` counts rows that were never stored.

    `form` and `dates` are those of the old file.
    """

    old: Path
    new: Path | None
    changes: Sequence[_Change]
    invalid: int
    form: str
    dates: str
    size: int
    digest: str

    def event(self) -> dict[str, object]:
        """The line of `--json`."""
        withdrawn, stated = self._side(is_stated=False), self._side(is_stated=True)
        return {
            "event": "correction",
            "old": str(self.old),
            "new": str(self.new) if self.new else None,
            "withdrawn": {"lines": withdrawn[0], "amount": f"{withdrawn[1]:f}"},
            "stated": {"lines": stated[0], "amount": f"{stated[1]:f}"},
            "invalid": self.invalid,
        }

    def show(self, console: Console) -> None:
        """Lines and amounts, before anything is sent."""
        table = Table("", "lines", "amount")
        for name, is_stated in (("taken back", False), ("sent", True)):
            lines, amount = self._side(is_stated=is_stated)
            table.add_row(name, f"{lines:,}", f"{amount:,f}")
        title = shown_name(self.old) + (f" becomes {shown_name(self.new)}" if self.new else "")
        console.print(Text(title, style="bold"), soft_wrap=True)
        console.print(table)
        if self.invalid:
            console.print(Text(f"{plural(self.invalid, 'row')} of {shown_name(self.old)} cannot have been stored."))

    def _side(self, *, is_stated: bool) -> tuple[int, Decimal]:
        """How many lines are stated or taken back, and the exact sum of their amounts."""
        rows = [json.loads(each.text) for each in self.changes if each.is_stated is is_stated]
        return len(rows), sum((Decimal(row["UnitPrice"]) * row["Quantity"] for row in rows), Decimal(0))


def read_correction(old: SendSettings, new: SendSettings | None) -> Correction:
    """Read both files; without `new`, all of `old` is taken back.

    Raises BadInput where a file cannot be read, or where a new row is one that the API refuses.
    """
    with _open(old) as source:
        digest, size = blake2b(source.digest.encode()), source.size
        dates = old.date_order if source.slashes.found else "iso"
        old_rows = {_digest(text) for _, text in _rows(source, old)}
        stated: list[_Change] = []
        if new:
            with _open(new) as new_source:
                digest.update(new_source.digest.encode())
                size += new_source.size
                stated = list(_stated(new_source, new, old_rows))
        withdrawn, invalid = _withdrawn(source, old, old_rows)
    changes = sorted([*withdrawn, *stated])
    new_file = new.file if new else None
    return Correction(old.file, new_file, changes, invalid, source.form, dates, size, digest.hexdigest())


@contextmanager
def prepare_correction(
    correction: Correction, settings: SendSettings, environment: Environment
) -> Iterator[PreparedUpload]:
    """An upload of the changes as of now, or as of the instant of an earlier run that this one goes on with.

    `settings` are those of the new file, or of the old one where there is no other. Raises BadInput where the journal
    cannot be used.
    """
    name = "correct" if correction.new else "withdraw"  # the journal of `send` may wait to be resumed
    settings = replace(settings, journal=settings.journal or settings.journal_path.with_suffix(f".{name}.journal"))
    now = datetime.fromtimestamp(environment.now(), UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    header = journal_header(parse_url(settings.address.url), correction.size, correction.digest, settings)
    header["as_of"] = now
    with name_file(settings.file):
        check_rejects_path(settings.rejects_path, settings.file)
        check_journal_path(settings.journal_path, settings.file, settings.rejects_path)
    with open_journal(settings.journal_path, header, fresh=settings.fresh) as journal:
        rows = CorrectionRows(correction.changes, journal.as_of or now)
        stated = sum(each.is_stated for each in correction.changes)
        sent = stated if correction.new else None
        changes = Changes(len(correction.changes) - stated, sent, rows.as_of)
        yield PreparedUpload(settings, rows, journal, (), correction.form, correction.dates, changes)


@dataclass(frozen=True, slots=True)
class CorrectionRows:
    """The changes as rows to be sent, all as of one instant."""

    changes: Sequence[_Change]
    as_of: str

    @property
    def header(self) -> Header:
        return Header(COLUMNS)

    def chunks(self) -> Iterator[Chunk]:
        if not self.changes:
            return
        originals = [_csv_row(each.text) for each in self.changes]
        ends = np.cumsum([len(text) + 1 for text in originals], dtype=np.int64) - 1
        starts = np.concatenate(([0], ends[:-1] + 1)).astype(np.int64)
        lines = np.array([each.line for each in self.changes], np.int64)
        records = Records(b"\n".join(originals) + b"\n", starts, ends, lines)
        invoices = distinct(Column(np.arange(len(self.changes)), [each.invoice for each in self.changes]))
        texts = [self._statement(each) for each in self.changes]
        block = ParsedBlock(records, texts, invoices, 0.0, 1.0)
        yield Chunk(Rows((RowSpan(block, 0, len(records)),)), ())

    def _statement(self, change: _Change) -> bytes:
        withdrawn = b"" if change.is_stated else b',"Withdrawn":true'
        return b'\n%b,"AsOf":"%b"%b}' % (change.text[:-1], self.as_of.encode(), withdrawn)


@contextmanager
def _open(settings: SendSettings) -> Iterator[Source]:
    with name_file(settings.file), open_source(settings.file, settings.sheet) as source:
        check_file(source, settings)
        yield source


def _rows(source: Source, settings: SendSettings) -> Iterator[tuple[Callable[[], int], bytes]]:
    """The text that `send` sends of each row, and what tells the row's line. A broken row has no text."""
    for chunk in Reader(source, settings.date_order, settings.header).chunks():
        texts = bytes(chunk.rows.ndjson()).split(b"\n") if chunk.rows else []
        yield from ((partial(chunk.rows.line, place), text) for place, text in enumerate(texts))
        yield from ((partial(int, broken.line), b"") for broken in chunk.broken)


def _stated(source: Source, settings: SendSettings, old_rows: set[bytes]) -> Iterator[_Change]:
    """The rows that are not among the old ones. A row that is leaves `old_rows`, so that these are the others then."""
    for line, text in _rows(source, settings):
        digest = _digest(text)
        if not _is_valid(text):
            raise BadInput(
                f"The row on line {line():,} is not valid, so nothing was sent. `send --dry-run` says what is wrong."
            )
        if digest in old_rows:
            old_rows.remove(digest)
        else:
            yield _change(line(), text, is_stated=True)


def _withdrawn(source: Source, settings: SendSettings, left: set[bytes]) -> tuple[list[_Change], int]:
    """The rows that are left of the old ones, and how many others are not valid, so that they were never stored."""
    changes, invalid = [], 0
    for line, text in _rows(source, settings):
        if _digest(text) not in left:
            continue
        if _is_valid(text):
            changes.append(_change(line(), text, is_stated=False))
        else:
            invalid += 1
    return changes, invalid


def _change(line: int, text: bytes, *, is_stated: bool) -> _Change:
    return _Change(json.loads(text)["InvoiceNo"], is_stated, line, text)


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=_DIGEST_BYTES).digest()


def _values(text: bytes) -> dict[str, str]:
    row = json.loads(text)
    return {name: "" if row[name] is None else str(row[name]) for name in COLUMNS}


def _is_valid(text: bytes) -> bool:
    return bool(text) and all(RULES[name].is_valid(value) for name, value in _values(text).items())


def _csv_row(text: bytes) -> bytes:
    """A row as a CSV has it, for the file of rejected rows."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(_values(text).values())
    return out.getvalue().encode()
