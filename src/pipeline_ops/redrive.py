"""Stores dead letters with the code of the stage that could not store them, under the same identity.

A redrive goes directly to that stage, not through the stream. Through the stream, `to_s3` would archive rows a second
time that the batch's raw object holds already, and the rows would get new numbers and so new line ids.

    1. `failed-redriven/…` is created with the rows that will be stored. A redrive that finds this document there
       finishes it and ignores its own fix.
    2. The code of the stage stores the rows, under their batch id and with the numbers that they have in their batch.
    3. Rows that are still invalid become a new dead letter; then the document under `failed/` is deleted.

So a redrive may stop after any step: the next one ends in the same state.

A batch that Lambda discarded goes through both stages, whichever of them gave it up: to store a record again changes
nothing. A record that the stage cannot store becomes a dead letter, as on the stream.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from aws.bucket import TO_DYNAMODB, TO_S3, Bucket, DeadLetter, DeadLetterDocument, DeadLetterStore, redriven_key
from aws.erasures import ErasureList
from aws.metrics import Metric
from consumers.archive import Archive
from consumers.batch_loop import RESERVED_MILLIS, PutReceipt, Record, Stage, consume, keep_no_receipt
from consumers.index import Index
from invoices.batch import pack, parse_batch_id, unpack
from invoices.erasure import erase_rows
from invoices.errors import Rejected, RowError
from invoices.limits import MAX_BODY_BYTES
from invoices.line import Line, content
from invoices.rows import json_pairs, reject_unnamed_statements
from pipeline_ops.dead_letters import (
    NumberedRow,
    RedrivenDocument,
    RedrivenRow,
    create_redriven,
    is_discarded,
    payload_rows,
    read_dead_letter,
    read_discarded,
    read_redriven,
    redriven_of,
    validated_rows,
)
from pipeline_ops.errors import OpsError
from pipeline_ops.raw_objects import raw_keys_of, read_raw_object

_OCCURRENCE = "Occurrence"
_WITHDRAWN = "Withdrawn"
_STATEMENT = ("AsOf", _WITHDRAWN)
_BOOLS = {"true": True, "false": False}
_NOT_CHOSEN = "is valid, but this redrive did not choose it"


@dataclass(frozen=True, slots=True)
class Fix:
    """New values for rejected rows. `rows` are positions in the whole record; None means every row."""

    values: Mapping[str, str | int] = field(default_factory=dict)
    rows: frozenset[int] | None = None

    def chooses(self, row: NumberedRow) -> bool:
        return self.rows is None or row.index in self.rows

    def apply(self, row: NumberedRow) -> NumberedRow:
        """The row with the new values; everything else stays as it was.

        A row whose content changes is no longer the n-th with its content, so it loses its Occurrence. Without it the
        row is known by its batch and number, and can never overwrite another row. A row with AsOf or Withdrawn keeps
        it: it states something about the line that has the new content. Text that is not a JSON object stays as it is;
        validation rejects it.
        """
        found = json_pairs(row.text)
        if not self.values or found is None:
            return row
        before, pairs = dict(found), list(found)
        is_statement = any({**before, **self.values}.get(name) for name in _STATEMENT)
        if not is_statement and any(before.get(name) != value for name, value in self.values.items()):
            pairs = [(name, value) for name, value in pairs if name != _OCCURRENCE]
        kept = [(name, value) for name, value in pairs if name not in self.values]
        return NumberedRow(row.index, _object_text([*kept, *self.values.items()]))


def parse_fix(assignments: Sequence[str], rows: Sequence[int]) -> Fix:
    """Raises OpsError for text that is not `Field=value` with a field of an invoice row."""
    values = dict(_parse_assignment(text) for text in assignments)
    return Fix(values, frozenset(rows) if rows else None)


@dataclass(frozen=True, slots=True)
class RedriveResult:
    """`rows` or `records` are stored; `errors` are of rows that were left; `rejected` says why nothing was stored.

    `was_done_before`: an earlier redrive has decided about the dead letter. If it was interrupted, or if the record was
    delivered again, the same `rows` were stored now, with the values of that redrive.
    """

    key: str
    rows: int = 0
    records: int = 0
    errors: tuple[RowError, ...] = ()
    rejected: str | None = None
    was_done_before: bool = False


class Redrive:
    """`put_receipt` keeps the receipts of discarded records, which had none yet."""

    def __init__(self, bucket: Bucket, index: Index, put_receipt: PutReceipt = keep_no_receipt) -> None:
        self._bucket = bucket
        self._index = index
        self._put_receipt = put_receipt
        self._erasures = ErasureList(bucket)

    def run(self, key: str, fix: Fix, *, dry_run: bool = False) -> RedriveResult:
        """Raises OpsError for a key that is not a dead letter, and Retryable: then run it again."""
        if is_discarded(key):
            return self._consume_discarded(key, fix, dry_run=dry_run)
        if not self._bucket.exists(key) and self._bucket.exists(redriven_key(key)):
            return RedriveResult(key, was_done_before=True)
        customers = self._erasures.covering_object(key)
        document = read_dead_letter(self._bucket, key)
        if customers and erase_rows(document.payload, document.batch_id, customers)[1]:
            raise OpsError(f"{key} has rows of a customer who is being erased. Redrive it after the erasure.")
        try:
            parse_batch_id(document.batch_id)
            if document.stage == TO_DYNAMODB:
                return self._index_rows(key, document, fix, dry_run=dry_run)
            return self._archive_record(key, document, fix, dry_run=dry_run)
        except Rejected as error:
            return RedriveResult(key, rejected=str(error))

    def _consume_discarded(self, key: str, fix: Fix, *, dry_run: bool) -> RedriveResult:
        if fix.values or fix.rows is not None:
            raise OpsError("--set and --row are for rows; a batch that Lambda discarded is stored without changes.")
        batch = read_discarded(self._bucket, key)
        to_s3 = Stage(Archive(self._bucket).add, DeadLetterStore(self._bucket, TO_S3).put, erasures=self._erasures)
        dead_letters = DeadLetterStore(self._bucket, TO_DYNAMODB)
        to_dynamodb = Stage(self._index.add, dead_letters.put, self._put_receipt, self._erasures)
        for stage in () if dry_run else (to_s3, to_dynamodb):
            response = consume(batch.event, _NoTimeLimit(), stage, _NoMetrics())
            if response["batchItemFailures"]:
                raise OpsError(
                    f"Not all records of {key} could be stored now. Run the command again; none counts twice."
                )
        if not dry_run:
            self._bucket.delete(key)
        return RedriveResult(key, records=len(batch.records))

    def _archive_record(self, key: str, document: DeadLetterDocument, fix: Fix, *, dry_run: bool) -> RedriveResult:
        if fix.values or fix.rows is not None:
            raise OpsError("--set and --row are for rows; the archive stores a record without changes.")
        if dry_run:
            unpack(document.payload, MAX_BODY_BYTES)
            return RedriveResult(key)
        Archive(self._bucket).add(Record(document.batch_id, document.sequence_number, document.payload))
        create_redriven(self._bucket, redriven_key(key), RedrivenDocument(**vars(document), rows=()))
        self._bucket.delete(key)
        return RedriveResult(key)

    def _index_rows(self, key: str, document: DeadLetterDocument, fix: Fix, *, dry_run: bool) -> RedriveResult:
        errors: tuple[RowError, ...] = ()
        if was_done_before := self._bucket.exists(redriven_key(key)):
            decided = read_redriven(self._bucket, redriven_key(key))
            rest = _rest(document, decided)
            errors = rest.errors if rest else ()
        else:
            decided, errors = self._decide(document, fix)
        if not decided.rows:
            return RedriveResult(key, errors=errors, rejected="no row of it is an invoice line")
        if not dry_run:
            self._carry_out(key, document, decided)
        return RedriveResult(key, len(decided.rows), errors=errors, was_done_before=was_done_before)

    def _carry_out(self, key: str, document: DeadLetterDocument, decided: RedrivenDocument) -> None:
        target = redriven_key(key)
        if not create_redriven(self._bucket, target, decided) and read_redriven(self._bucket, target) != decided:
            raise OpsError(f"Another redrive of {key} is running with other values.")
        self._index.store(decided.valid_rows(), decided.batch_id, [row.number for row in decided.rows])
        if rest := _rest(document, decided):
            dead_letters = DeadLetterStore(self._bucket, document.stage)
            dead_letters.put(document.batch_id, document.sequence_number, rest)
        self._bucket.delete(key)

    def _decide(self, document: DeadLetterDocument, fix: Fix) -> tuple[RedrivenDocument, tuple[RowError, ...]]:
        """The rows to store, and the errors of the chosen rows that are still invalid."""
        rows = [fix.apply(row) for row in payload_rows(document) if fix.chooses(row)]
        validated = reject_unnamed_statements(validated_rows(rows))
        texts = {row.index: row.text.decode() for row in rows if row.index in set(validated.indexes)}
        stored = self._stored_in_batch(document)
        redriven = []
        for index, line in zip(validated.indexes, validated.lines, strict=True):
            stored[content(line)] += not line.Occurrence
            redriven.append(RedrivenRow(index, texts[index], 0 if line.Occurrence else stored[content(line)]))
        return RedrivenDocument(**vars(document), rows=tuple(redriven)), tuple(validated.errors)

    def _stored_in_batch(self, document: DeadLetterDocument) -> Counter[tuple[str, ...]]:
        """How many rows without Occurrence the batch has stored of each content: from the stream and by redrives.

        So a redriven row gets the line id that it would have had in a batch without errors. The raw object also holds
        the rows of the dead letter. Rules may have changed since, so some of them may be valid now: they do not count.
        """
        batch_id = document.batch_id
        unstored = _contents(validated_rows(payload_rows(document)).lines)
        stored: Counter[tuple[str, ...]] = Counter()
        for raw in raw_keys_of(self._bucket, batch_id):
            with suppress(Rejected):
                stored |= _contents(read_raw_object(self._bucket, raw).rows.lines) - unstored
        for redriven in redriven_of(self._bucket, batch_id):
            for line, row in zip(redriven.valid_rows().lines, redriven.rows, strict=True):
                stored[content(line)] = max(stored[content(line)], row.number)
        return stored


def _contents(lines: Iterable[Line]) -> Counter[tuple[str, ...]]:
    """How many lines without Occurrence have each content."""
    return Counter(content(line) for line in lines if not line.Occurrence)


class _NoTimeLimit:
    """Lambda's context for a command that may take as long as it needs."""

    def get_remaining_time_in_millis(self) -> int:
        return RESERVED_MILLIS


class _NoMetrics:
    """The metrics count what came over the stream."""

    def put(self, batch_id: str, metrics: Sequence[Metric]) -> None:
        pass


def _rest(document: DeadLetterDocument, decided: RedrivenDocument) -> DeadLetter | None:
    """The rows that were not stored, as they were: without the values of a fix that did not help."""
    redriven = {row.index for row in decided.rows}
    rest = [row for row in payload_rows(document) if row.index not in redriven]
    if not rest:
        return None
    validated = reject_unnamed_statements(validated_rows(rest))
    not_chosen = [RowError(index, None, _NOT_CHOSEN) for index in validated.indexes]
    payload = pack(b"\n".join(row.text for row in rest))
    return DeadLetter(payload, document.reason, (*validated.errors, *not_chosen))


def _parse_assignment(text: str) -> tuple[str, str | int]:
    name, equals, value = text.partition("=")
    if not equals or name not in Line.model_fields:
        raise OpsError(f"--set takes Field=value, with one of these fields: {', '.join(Line.model_fields)}.")
    if name == _WITHDRAWN and value in _BOOLS:
        return name, _BOOLS[value]
    return name, int(value) if name == _OCCURRENCE and value.isdecimal() else value


def _object_text(pairs: Sequence[tuple[str, object]]) -> bytes:
    return b"{" + b",".join(f"{json.dumps(name)}:{json.dumps(value)}".encode() for name, value in pairs) + b"}"
