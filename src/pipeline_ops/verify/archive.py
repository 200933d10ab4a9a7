"""The archive's part of a verification: each batch once, under its name, and every refused row of it accounted for."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumers.archive import batch_id_of
from invoices.errors import Rejected
from pipeline_ops import bucket as documents
from pipeline_ops.bucket import RawObject, keys_of_hours, raw_keys, read_raw_object
from pipeline_ops.console import Watch
from pipeline_ops.options import TimeRange
from pipeline_ops.verify.findings import Difference, Findings, Kind, Where
from pipeline_ops.verify.ledger import Ledger

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SET_ASIDE = f"{documents.FAILED}{documents.TO_DYNAMODB}/"


@dataclass(slots=True)
class SetAsideRows:
    """What `failed/` and `failed-redriven/` account for: rows by batch and place, and records as a whole."""

    rows: set[tuple[str, int]] = field(default_factory=set)
    records: set[str] = field(default_factory=set)


class ArchiveCheck:
    """Enters every archived line in the ledger. `keys[place]` is the object that a ledger's place means."""

    def __init__(self, s3: "S3Client", bucket: str, ledger: Ledger, findings: Findings, *, resent: bool) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._ledger = ledger
        self._findings = findings
        self._resent = resent
        self._contents: dict[bytes, int] = {}
        self._misnamed: set[str] = set()
        self._set_aside = SetAsideRows()
        self.keys: list[str] = []
        self.rows = 0
        self.refused = 0
        self.redriven = 0

    def run(self, span: TimeRange, watch: Watch) -> None:
        self._read_set_aside(span)
        keys = list(raw_keys(self._s3, self._bucket, span))
        for key in watch(keys, "Archive, objects", len(keys)):
            self.keys.append(key)
            self._check(key)

    def _read_set_aside(self, span: TimeRange) -> None:
        """It is filed by the batch's hour, as the raw objects are."""
        for key in keys_of_hours(self._s3, self._bucket, _SET_ASIDE, span):
            self._account_for(documents.read_set_aside(self._s3, self._bucket, key))
        for key in keys_of_hours(self._s3, self._bucket, documents.REDRIVEN_ROWS, span):
            document = documents.read_redriven(self._s3, self._bucket, key)
            self._account_for(document)
            self._enter_redriven(document)

    def _account_for(self, document: documents.SetAsideDocument) -> None:
        self._set_aside.rows.update((document.batch_id, error.index) for error in document.errors)
        if not document.errors:
            self._set_aside.records.add(document.batch_id)

    def _enter_redriven(self, document: documents.RedrivenDocument) -> None:
        for line_id, line in zip(document.line_ids(), document.valid_rows().lines, strict=True):
            self._ledger.redrive(line_id, line)
            self.redriven += 1

    def _check(self, key: str) -> None:
        try:
            found = read_raw_object(self._s3, self._bucket, key)
        except Rejected as error:
            self._unreadable(key, str(error))
            return
        self.rows += len(found.rows.lines) + found.rows.rejected
        self.refused += found.rows.rejected
        if not found.is_named_well:
            self._misnamed.add(key)
            self._add(Kind.MISNAMED, found, "to_s3 gives no such name to a batch of these rows")
        if not self._is_copy(found):
            self._enter(found)
            self._check_refused(found)

    def _unreadable(self, key: str, reason: str) -> None:
        """Such a record is archived as it came; to_dynamodb sets it aside as a whole."""
        batch_id = batch_id_of(key)
        if batch_id not in self._set_aside.records:
            self._findings.add(Difference(Kind.UNREADABLE, Where.ARCHIVE, reason, batch_id=batch_id, object=key))

    def _is_copy(self, found: RawObject) -> bool:
        """It holds the very rows of an earlier object; if rows were sent again on purpose, of one of its own batch."""
        place = len(self.keys) - 1
        earlier = self.keys[self._contents.setdefault(found.content, place)]
        if earlier == found.key or (self._resent and batch_id_of(earlier) != found.batch_id):
            return False
        self._add_copy(found, earlier)
        return True

    def _add_copy(self, found: RawObject, earlier: str) -> None:
        """Of two, the double is the one that has the wrong name, else the later one."""
        double, original = (earlier, found.key) if earlier in self._misnamed else (found.key, earlier)
        self._findings.add(
            Difference(
                Kind.DOUBLED,
                Where.ARCHIVE,
                f"holds the very rows of {original}",
                line=self._first_number(found.line_ids()),
                rows=len(found.rows.lines) + found.rows.rejected,
                batch_id=batch_id_of(double),
                object=double,
            )
        )

    def _enter(self, found: RawObject) -> None:
        repeated: dict[int, list[bytes]] = defaultdict(list)
        place = len(self.keys) - 1
        for line_id, line in zip(found.line_ids(), found.rows.lines, strict=True):
            earlier = self._ledger.archive(line_id, line, place)
            if earlier is not None and not self._resent:
                repeated[earlier].append(line_id)
        for earlier, line_ids in repeated.items():
            self._doubled_rows(found, self.keys[earlier], line_ids)

    def _doubled_rows(self, found: RawObject, earlier: str, line_ids: list[bytes]) -> None:
        where = "its own rows" if earlier == found.key else f"rows of {earlier}"
        message = f"repeats {len(line_ids):,} of {where}"
        self._add(Kind.DOUBLED, found, message, rows=len(line_ids), line=self._first_number(line_ids))

    def _first_number(self, line_ids: Iterable[bytes]) -> int | None:
        numbers = (self._ledger[line_id].number for line_id in line_ids if line_id in self._ledger)
        return min((number for number in numbers if number), default=None)

    def _check_refused(self, found: RawObject) -> None:
        for index in sorted({error.index for error in found.rows.errors}):
            if (found.batch_id, index) not in self._set_aside.rows:
                self._findings.add(
                    Difference(
                        Kind.MISSING,
                        Where.FAILED,
                        "a row that is no invoice line was not set aside",
                        batch_id=found.batch_id,
                        object=found.key,
                        index=index,
                    )
                )

    def _add(self, kind: Kind, found: RawObject, message: str, *, rows: int = 1, line: int | None = None) -> None:
        self._findings.add(
            Difference(kind, Where.ARCHIVE, message, line=line, rows=rows, batch_id=found.batch_id, object=found.key)
        )
