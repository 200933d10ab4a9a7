"""Verifies the archive: each batch once, under its own key, and each of its rejected rows in a dead letter."""

from collections.abc import Iterator
from contextlib import suppress

from rich.progress import Progress

from aws.bucket import FAILED, TO_DYNAMODB, Bucket, DeadLetterDocument, batch_id_of
from invoices.errors import Rejected
from pipeline_ops.dead_letters import REDRIVEN_ROWS, RedrivenDocument, read_dead_letter, read_redriven
from pipeline_ops.options import EVERYTHING, TimeRange
from pipeline_ops.raw_objects import RawObject, keys_of_hours, raw_keys, read_raw_object
from pipeline_ops.verify.findings import Finding, Findings, Kind, Where
from pipeline_ops.verify.known_lines import KnownLines


class ArchiveCheck:
    """Adds the archived and the redriven lines to `known_lines`. `keys[n]` is the object with the number n there.

    `repeated` counts rows that were archived before: they were sent again, and each counts once in every answer. With
    `only_csv`, objects without a line of the CSV are read and not judged.
    """

    def __init__(self, bucket: Bucket, known_lines: KnownLines, findings: Findings, *, only_csv: bool) -> None:
        self._bucket = bucket
        self._known_lines = known_lines
        self._findings = findings
        self._only_csv = only_csv
        self._dead_rows: set[tuple[str, int]] = set()
        self._dead_records: set[str] = set()
        self._documents: set[str] = set()
        self._rejected_rows: list[tuple[str, int]] = []
        self._unreadable: list[tuple[str, str]] = []
        self.keys: list[str] = []
        self.rows = 0
        self.rejected = 0
        self.repeated = 0
        self.redriven = 0

    def run(self, span: TimeRange, bar: Progress) -> None:
        self._read_dead_letters(span)
        for key in bar.track(list(raw_keys(self._bucket, span)), description="Archive, objects"):
            self.keys.append(key)
            self._check(key)
        if self._has_undocumented():  # a batch that arrived meanwhile may have got its dead letters meanwhile
            self._read_dead_letters(span)
        self._report_undocumented()

    def read_late(self, bar: Progress) -> None:
        """Add what the whole archive has got since `run`: the stores, which were read meanwhile, may have it or not."""
        known = set(self.keys)
        new = [key for key in raw_keys(self._bucket, EVERYTHING) if key not in known]
        for key in bar.track(new, description="Archive, new objects"):
            with suppress(Rejected):
                found = read_raw_object(self._bucket, key)
                for line_id, line in zip(found.line_ids(), found.rows.lines, strict=True):
                    self._known_lines.add_late(line_id, line)
        for key in keys_of_hours(self._bucket, REDRIVEN_ROWS, EVERYTHING):
            if key not in self._documents:
                document = read_redriven(self._bucket, key)
                for line_id, line in zip(document.line_ids(), document.valid_rows().lines, strict=True):
                    self._known_lines.add_late(line_id, line)

    def _read_dead_letters(self, span: TimeRange) -> None:
        """Those that were not read yet. They are stored by the hour of the batch, like the raw objects."""
        for key in self._new_documents(f"{FAILED}{TO_DYNAMODB}/", span):
            self._add_dead_letter(read_dead_letter(self._bucket, key))
        for key in self._new_documents(REDRIVEN_ROWS, span):
            document = read_redriven(self._bucket, key)
            self._add_dead_letter(document)
            self._add_redriven(document)

    def _new_documents(self, prefix: str, span: TimeRange) -> Iterator[str]:
        for key in keys_of_hours(self._bucket, prefix, span):
            if key not in self._documents:
                self._documents.add(key)
                yield key

    def _add_dead_letter(self, document: DeadLetterDocument) -> None:
        self._dead_rows.update((document.batch_id, error.index) for error in document.errors)
        if not document.errors:
            self._dead_records.add(document.batch_id)

    def _add_redriven(self, document: RedrivenDocument) -> None:
        for line_id, line in zip(document.line_ids(), document.valid_rows().lines, strict=True):
            self._known_lines.add_redriven(line_id, line)
            self.redriven += 1

    def _check(self, key: str) -> None:
        try:
            found = read_raw_object(self._bucket, key)
        except Rejected as error:
            self._unreadable.append((key, str(error)))
            return
        self.rows += len(found.rows.lines) + found.rows.rejected
        self.rejected += found.rows.rejected
        has_csv_line = self._add_lines(found)
        if self._only_csv and not has_csv_line:
            return
        if not found.has_valid_key:
            message = "to_s3 does not use this key for a batch with these rows"
            self._findings.add(
                Finding(Kind.MISNAMED, Where.ARCHIVE, message, batch_id=found.batch_id, object=found.key)
            )
        self._rejected_rows += [(key, index) for index in sorted({error.index for error in found.rows.errors})]

    def _add_lines(self, found: RawObject) -> bool:
        """Whether the object has a line of the CSV. Always False if only archive and tables are compared."""
        has_csv_line = False
        for line_id, line in zip(found.line_ids(), found.rows.lines, strict=True):
            self.repeated += not self._known_lines.add_from_object(line_id, line, len(self.keys) - 1)
            has_csv_line = has_csv_line or (self._only_csv and self._known_lines.is_from_csv(line_id))
        return has_csv_line

    def _has_undocumented(self) -> bool:
        return any(True for _ in self._undocumented())

    def _report_undocumented(self) -> None:
        for finding in self._undocumented():
            self._findings.add(finding)

    def _undocumented(self) -> Iterator[Finding]:
        """What to_s3 archived and to_dynamodb must have a dead letter for: unreadable records, and invalid rows."""
        for key, reason in self._unreadable:
            batch_id = batch_id_of(key)
            if batch_id not in self._dead_records and not self._only_csv:
                yield Finding(Kind.UNREADABLE, Where.ARCHIVE, reason, batch_id=batch_id, object=key)
        for key, index in self._rejected_rows:
            batch_id = batch_id_of(key)
            if (batch_id, index) not in self._dead_rows:
                message = "an invalid row has no dead letter"
                yield Finding(Kind.MISSING, Where.FAILED, message, batch_id=batch_id, object=key, index=index)
