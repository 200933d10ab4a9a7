"""Erases a customer from the lake: a month is written again, and its old data files are deleted at once.

A query that still reads the old version fails then, and succeeds when it is asked again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from rich.progress import Progress

from aws.totals import TotalsStore
from consumers.lake.staging import FILE_FORMAT, Staging, read_files
from consumers.lake.table import MONTH, LakeChanged, LakeTable, MonthFile, Snapshot, new_file
from invoices.erasure import erase_line
from invoices.line import Line
from pipeline_ops.erase.found import Found, Store, Target
from pipeline_ops.lake import lines_of_customer

_ATTEMPTS = 10


@dataclass(frozen=True)
class LakeErasure:
    """`run` raises Retryable where S3 fails; a second run does the rest."""

    table: LakeTable
    totals: TotalsStore
    target: Target

    def run(self, found: Found, bar: Progress) -> None:
        if not self.table.exists():
            return
        snapshot = self._erase_months(found, bar)
        for file in bar.track(self.table.unnamed_files(snapshot), description="Lake, old files"):
            with self._lines([file]) as (_, lines):
                rows = len(lines)
            if rows:
                found.add(Store.OLD_LAKE_FILES, rows)
                if not self.target.dry_run:
                    self.totals.delete_of(file.path)
                    self.table.delete(file)

    def _erase_months(self, found: Found, bar: Progress) -> Snapshot:
        """Begin again with a new snapshot as often as somebody else commits first. Returns the newest version."""
        for attempt in range(1, _ATTEMPTS + 1):
            snapshot, seen = self.table.snapshot(), Found()
            months = bar.track(sorted(snapshot.months.items()), description="Lake, months")
            try:
                changed = {month: new for month, old in months if (new := self._erase_month(old, seen)) is not old}
                if changed and not self.target.dry_run:
                    snapshot = self._commit(snapshot, changed)
            except LakeChanged:
                if attempt == _ATTEMPTS:
                    raise
                continue
            break
        found.include(seen)
        if not self.target.dry_run:
            self.totals.publish(snapshot.version, snapshot.committed_at, snapshot.paths)
        return snapshot

    def _commit(self, snapshot: Snapshot, changed: dict[str, Sequence[MonthFile]]) -> Snapshot:
        self.table.commit(snapshot, [file for files in changed.values() for file in files], list(changed))
        return self.table.snapshot()

    def _erase_month(self, files: Sequence[MonthFile], seen: Found) -> Sequence[MonthFile]:
        """The files themselves where they do not name the customer, and none where nothing is left of the month."""
        with self._lines(files) as (old, lines):
            if not lines:
                return files
            seen.add(Store.LAKE, len(lines))
            erased = [erase_line(line, name.hex(), self.target.customers) for name, line in lines]
            kept = [line for line in erased if line]
            left = sum(file.rows for file in files) - len(lines)
            is_empty = not left and not kept
            return [] if is_empty or self.target.dry_run else [self._write_month(files[0].month, old, left, kept)]

    def _write_month(self, month: str, old: Sequence[Path], rows: int, kept: list[Line]) -> MonthFile:
        """`rows` are those of others in the old files, and `kept` are written beside them."""
        rest, new = old[0].with_name("rest.parquet"), old[0].with_name("new.parquet")
        _copy_without(old, self.target.customer_id, rest)
        with Staging() as staging:
            staging.add_rows("", [line.model_dump_json().encode() for line in kept], [0] * len(kept))
            if kept and (united := staging.unite(month, [rest], new, most_files=1)):
                rows = united.rows
            else:
                rest.replace(new)
            written = new_file(month, rows, new)
            self.table.write(written, new.read_bytes())
            self.totals.write([written.path], staging.totals([new]))
        return written

    @contextmanager
    def _lines(self, files: Sequence[MonthFile]) -> Iterator[tuple[list[Path], list[tuple[bytes, Line]]]]:
        """Copies of a month's data files on this machine, and the customer's rows in them."""
        with TemporaryDirectory(prefix="erase-") as temporary:
            folder = Path(temporary, f"{MONTH}={files[0].month}")
            folder.mkdir()
            paths = self.table.download(files, folder)
            yield paths, lines_of_customer(paths, self.target.customer_id)


def _copy_without(old: Sequence[Path], customer_id: str, into: Path) -> None:
    """Into one file, in the order of the old ones."""
    rows = read_files(old)
    with duckdb.connect(config={"threads": 2}) as db:
        db.execute("SET TimeZone = 'UTC'")
        db.execute(f"CREATE TABLE rest AS FROM {rows} WHERE CustomerID IS DISTINCT FROM ?", [customer_id])
        db.execute(f"COPY rest TO '{into}' ({FILE_FORMAT})")
