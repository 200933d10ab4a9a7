"""Erases a customer from the lake: a month is written again, and its old data file is deleted at once.

A query that still reads the old version fails then, and succeeds when it is asked again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import duckdb
from rich.progress import Progress

from aws.totals import TotalsStore
from consumers.lake.staging import FILE_FORMAT, Staging
from consumers.lake.table import MONTH, LakeChanged, LakeTable, MonthFile, Snapshot
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
            with self._lines(file) as (_, lines):
                rows = len(lines)
            if rows:
                found.add(Store.OLD_LAKE_FILES, rows)
                if not self.target.dry_run:
                    self.totals.delete(file.path)
                    self.table.delete(file)

    def _erase_months(self, found: Found, bar: Progress) -> Snapshot:
        """Begin again with a new snapshot as often as somebody else commits first. Returns the newest version."""
        for attempt in range(1, _ATTEMPTS + 1):
            snapshot, seen = self.table.snapshot(), Found()
            months = bar.track(sorted(snapshot.files.items()), description="Lake, months")
            changed = {month: new for month, file in months if (new := self._erase_month(file, seen)) is not file}
            try:
                if changed and not self.target.dry_run:
                    snapshot = self._commit(snapshot, changed)
            except LakeChanged:
                if attempt == _ATTEMPTS:
                    raise
                continue
            break
        found.include(seen)
        if not self.target.dry_run:
            paths = {month: file.path for month, file in snapshot.files.items()}
            self.totals.publish(snapshot.version, snapshot.committed_at, paths)
        return snapshot

    def _commit(self, snapshot: Snapshot, changed: dict[str, MonthFile | None]) -> Snapshot:
        removed = [month for month, file in changed.items() if not file]
        self.table.commit(snapshot, [file for file in changed.values() if file], removed)
        return self.table.snapshot()

    def _erase_month(self, file: MonthFile, seen: Found) -> MonthFile | None:
        """The file itself where it does not name the customer; None where nothing is left of the month."""
        with self._lines(file) as (old, lines):
            if not lines:
                return file
            seen.add(Store.LAKE, len(lines))
            erased = [erase_line(line, name.hex(), self.target.customers) for name, line in lines]
            kept = [line for line in erased if line]
            is_empty = file.rows == len(lines) and not kept
            return None if is_empty or self.target.dry_run else self._write_month(file, old, len(lines), kept)

    def _write_month(self, file: MonthFile, old: Path, gone: int, kept: list[Line]) -> MonthFile:
        rest, new = old.with_name("rest.parquet"), old.with_name("new.parquet")
        _copy_without(old, self.target.customer_id, rest)
        with Staging() as staging:
            staging.add_rows("", [line.model_dump_json().encode() for line in kept], [0] * len(kept))
            rows = staging.unite(file.month, rest, new) if kept else None
            if rows is None:
                rest.replace(new)
                rows = file.rows - gone
            written = MonthFile(file.month, f"{MONTH}={file.month}/{uuid4()}.parquet", rows, new.stat().st_size)
            self.table.write(written, new.read_bytes())
            self.totals.write(written.path, staging.totals(new))
        return written

    @contextmanager
    def _lines(self, file: MonthFile) -> Iterator[tuple[Path, list[tuple[bytes, Line]]]]:
        """A copy of the data file on this machine, and the customer's rows in it."""
        with TemporaryDirectory(prefix="erase-") as folder:
            path = Path(folder, f"{MONTH}={file.month}", "old.parquet")
            path.parent.mkdir()
            path.write_bytes(self.table.read(file))
            yield path, lines_of_customer(path, self.target.customer_id)


def _copy_without(old: Path, customer_id: str, into: Path) -> None:
    """In the order of the old file."""
    rows = f"read_parquet('{old}', hive_partitioning = false)"
    with duckdb.connect(config={"threads": 2}) as db:
        db.execute("SET TimeZone = 'UTC'")
        db.execute(f"CREATE TABLE rest AS FROM {rows} WHERE CustomerID IS DISTINCT FROM ?", [customer_id])
        db.execute(f"COPY rest TO '{into}' ({FILE_FORMAT})")
