"""Verifies the archive: each batch once, under its own key, and each of its rejected rows in a dead letter."""

from collections import defaultdict
from collections.abc import Iterable

from rich.progress import Progress

from aws.bucket import FAILED, TO_DYNAMODB, Bucket, DeadLetterDocument, batch_id_of
from invoices.errors import Rejected
from pipeline_ops.dead_letters import REDRIVEN_ROWS, RedrivenDocument, read_dead_letter, read_redriven
from pipeline_ops.options import TimeRange
from pipeline_ops.raw_objects import RawObject, keys_of_hours, raw_keys, read_raw_object
from pipeline_ops.verify.findings import Finding, Findings, Kind, Where
from pipeline_ops.verify.known_lines import KnownLines


class ArchiveCheck:
    """Adds the archived and the redriven lines to `known_lines`. `keys[n]` is the object with the number n there.

    `resent` says that the same rows were sent again on purpose: then other batches may contain them, too.
    """

    def __init__(self, bucket: Bucket, known_lines: KnownLines, findings: Findings, *, resent: bool) -> None:
        self._bucket = bucket
        self._known_lines = known_lines
        self._findings = findings
        self._resent = resent
        self._first_with_content: dict[bytes, str] = {}
        self._misnamed: set[str] = set()
        self._dead_rows: set[tuple[str, int]] = set()
        self._dead_records: set[str] = set()
        self.keys: list[str] = []
        self.rows = 0
        self.rejected = 0
        self.redriven = 0

    def run(self, span: TimeRange, bar: Progress) -> None:
        self._read_dead_letters(span)
        for key in bar.track(list(raw_keys(self._bucket, span)), description="Archive, objects"):
            self.keys.append(key)
            self._check(key)

    def _read_dead_letters(self, span: TimeRange) -> None:
        """They are stored by the hour of the batch, like the raw objects."""
        for key in keys_of_hours(self._bucket, f"{FAILED}{TO_DYNAMODB}/", span):
            self._add_dead_letter(read_dead_letter(self._bucket, key))
        for key in keys_of_hours(self._bucket, REDRIVEN_ROWS, span):
            document = read_redriven(self._bucket, key)
            self._add_dead_letter(document)
            self._add_redriven(document)

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
            self._check_unreadable(key, str(error))
            return
        self.rows += len(found.rows.lines) + found.rows.rejected
        self.rejected += found.rows.rejected
        if not found.has_valid_key:
            self._misnamed.add(key)
            self._add(Kind.MISNAMED, found, "to_s3 does not use this key for a batch with these rows")
        if not self._is_copy(found):
            self._add_lines(found)
            self._check_rejected_rows(found)

    def _check_unreadable(self, key: str, reason: str) -> None:
        """to_s3 archives such a record; to_dynamodb must have a dead letter for the whole record."""
        batch_id = batch_id_of(key)
        if batch_id not in self._dead_records:
            self._findings.add(Finding(Kind.UNREADABLE, Where.ARCHIVE, reason, batch_id=batch_id, object=key))

    def _is_copy(self, found: RawObject) -> bool:
        """True if an earlier object has exactly the same rows; after a re-send, only if it is of the same batch."""
        earlier = self._first_with_content.setdefault(found.content, found.key)
        if earlier == found.key or (self._resent and batch_id_of(earlier) != found.batch_id):
            return False
        self._add_copy(found, earlier)
        return True

    def _add_copy(self, found: RawObject, earlier: str) -> None:
        """Of the two objects, the copy is the one with the wrong key, otherwise the later one."""
        copy, original = (earlier, found.key) if earlier in self._misnamed else (found.key, earlier)
        self._findings.add(
            Finding(
                Kind.DOUBLED,
                Where.ARCHIVE,
                f"contains the same rows as {original}",
                line=self._first_csv_line(found.line_ids()),
                rows=len(found.rows.lines) + found.rows.rejected,
                batch_id=batch_id_of(copy),
                object=copy,
            )
        )

    def _add_lines(self, found: RawObject) -> None:
        number = len(self.keys) - 1
        repeated: dict[int, list[bytes]] = defaultdict(list)
        for line_id, line in zip(found.line_ids(), found.rows.lines, strict=True):
            earlier = self._known_lines.add_from_object(line_id, line, number)
            if earlier is not None and not self._resent:
                repeated[earlier].append(line_id)
        for earlier, line_ids in repeated.items():
            whose = "its own rows" if earlier == number else f"the rows of {self.keys[earlier]}"
            message = f"repeats {len(line_ids):,} of {whose}"
            csv_line = self._first_csv_line(line_ids)
            self._add(Kind.DOUBLED, found, message, rows=len(line_ids), line=csv_line)

    def _first_csv_line(self, line_ids: Iterable[bytes]) -> int | None:
        known = (self._known_lines[line_id].csv_line for line_id in line_ids if line_id in self._known_lines)
        return min((line for line in known if line), default=None)

    def _check_rejected_rows(self, found: RawObject) -> None:
        for index in sorted({error.index for error in found.rows.errors}):
            if (found.batch_id, index) not in self._dead_rows:
                message = "an invalid row has no dead letter"
                self._findings.add(
                    Finding(Kind.MISSING, Where.FAILED, message, batch_id=found.batch_id, object=found.key, index=index)
                )

    def _add(self, kind: Kind, found: RawObject, message: str, *, rows: int = 1, line: int | None = None) -> None:
        self._findings.add(
            Finding(kind, Where.ARCHIVE, message, line=line, rows=rows, batch_id=found.batch_id, object=found.key)
        )
