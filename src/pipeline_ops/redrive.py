"""Does again what a consumer set aside, with its own code and under the same identity.

A redrive goes straight to the stage that failed, not through the stream: on the stream, to_s3 would archive rows a
second time that the batch's raw object holds already, and the rows would get new places and so new line ids.

    1. `failed-redriven/…` is created with the rows that will go in. Who finds it there finishes that, not another fix.
    2. The stage's own code stores them, by batch id and place in the whole record.
    3. Rows that are still invalid are set aside anew; then the document under `failed/` is deleted.

So it may stop after any step, and be repeated after all of them: the next redrive ends where this one would have.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aws.errors import translate_errors
from consumers.archive import Archive
from consumers.dead_letters import DeadLetter, DeadLetterStore
from consumers.index import Index
from consumers.records import Record
from invoices.batch import pack, parse_batch_id, unpack
from invoices.errors import Rejected, RowError
from invoices.limits import MAX_BODY_BYTES
from invoices.line import Line
from invoices.rows import split_ndjson
from pipeline_ops import bucket as documents
from pipeline_ops.bucket import NumberedRow, RedrivenDocument, RedrivenRow, SetAsideDocument
from pipeline_ops.errors import OpsError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# `--set Field=value`: other values for rows that were refused.

_OCCURRENCE = "Occurrence"


@dataclass(frozen=True, slots=True)
class Fix:
    """`rows` are the rows' places in the whole record; None means all that were set aside."""

    values: Mapping[str, str | int] = field(default_factory=dict)
    rows: frozenset[int] | None = None

    def chooses(self, row: NumberedRow) -> bool:
        return self.rows is None or row.index in self.rows

    def applied_to(self, row: NumberedRow) -> NumberedRow:
        """The row with the values set, all else as it was.

        A row that says something else than before is no longer the n-th with its content: without its Occurrence
        it is known by its batch and place, so that it can never fall onto another row and be lost. Text that is no
        JSON object stays as it is, for the check to refuse.
        """
        pairs = _pairs(row.text)
        if not self.values or pairs is None:
            return row
        changed = {**self._without_occurrence_if_new(pairs), **self.values}
        kept = [(name, value) for name, value in pairs if name in changed and name not in self.values]
        return NumberedRow(row.index, _object_text([*kept, *self.values.items()]))

    def _without_occurrence_if_new(self, pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
        before = dict(pairs)
        if any(before.get(name) != value for name, value in self.values.items()):
            before.pop(_OCCURRENCE, None)
        return before


def fix_of(assignments: Sequence[str], rows: Sequence[int]) -> Fix:
    """Raises OpsError for what is not `Field=value` with a field of an invoice row."""
    values = dict(_assignment(text) for text in assignments)
    return Fix(values, frozenset(rows) if rows else None)


def _assignment(text: str) -> tuple[str, str | int]:
    name, equals, value = text.partition("=")
    if not equals or name not in Line.model_fields:
        raise OpsError(f"--set takes Field=value, with one of these fields: {', '.join(Line.model_fields)}.")
    return name, int(value) if name == _OCCURRENCE and value.isdecimal() else value


def _pairs(text: bytes) -> list[tuple[str, object]] | None:
    """Names and values of a JSON object in order; a name that is there twice stays twice, to be refused as such."""
    try:
        parsed = json.loads(text, object_pairs_hook=_Pairs)
    except ValueError:
        return None
    return parsed if isinstance(parsed, _Pairs) else None


class _Pairs(list[tuple[str, object]]):
    """Tells an object from an array."""


def _object_text(pairs: Sequence[tuple[str, object]]) -> bytes:
    return b"{" + b",".join(f"{json.dumps(name)}:{json.dumps(value)}".encode() for name, value in pairs) + b"}"


_LEFT = "is valid, and was left where others were redriven"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`refused` says why nothing was done; `errors` why rows stay set aside; `done_before` that it is no news."""

    key: str
    rows: int = 0
    errors: tuple[RowError, ...] = ()
    refused: str | None = None
    done_before: bool = False


class Redrive:
    def __init__(self, s3: "S3Client", bucket: str, index: Index) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._index = index

    def do(self, key: str, fix: Fix, *, dry_run: bool = False) -> Outcome:
        """Raises OpsError for a key that is no set-aside record, Retryable if a service fails: then do it again."""
        if not documents.exists(self._s3, self._bucket, key) and self._was_redriven(key):
            return Outcome(key, done_before=True)
        document = documents.read_set_aside(self._s3, self._bucket, key)
        try:
            parse_batch_id(document.batch_id)
            if document.stage == documents.TO_DYNAMODB:
                return self._to_dynamodb(key, document, fix, dry_run=dry_run)
            return self._to_s3(key, document, fix, dry_run=dry_run)
        except Rejected as error:
            return Outcome(key, refused=str(error))

    def _was_redriven(self, key: str) -> bool:
        return documents.exists(self._s3, self._bucket, documents.redriven_key(key))

    def _to_s3(self, key: str, document: SetAsideDocument, fix: Fix, *, dry_run: bool) -> Outcome:
        if fix.values or fix.rows is not None:
            raise OpsError("--set and --row are for rows; the archive keeps a record as it came.")
        if dry_run:
            unpack(document.payload, MAX_BODY_BYTES)
            return Outcome(key)
        record = Record(document.batch_id, document.sequence_number, document.payload)
        Archive(self._s3, self._bucket).add(record)
        documents.create(self._s3, self._bucket, documents.redriven_key(key), _decided(document, []))
        self._delete(key)
        return Outcome(key)

    def _to_dynamodb(self, key: str, document: SetAsideDocument, fix: Fix, *, dry_run: bool) -> Outcome:
        done_before = self._was_redriven(key)
        decided = self._decision(key) if done_before else _decided(document, _valid(document, fix))
        if not decided.rows:
            return Outcome(key, errors=_errors(document, fix), refused="no row of it is an invoice line")
        rest = _rest(document, decided)
        if not dry_run:
            self._carry_out(key, document, decided, rest)
        errors = () if done_before else _errors(document, fix)
        return Outcome(key, len(decided.rows), errors, done_before=done_before)

    def _carry_out(
        self, key: str, document: SetAsideDocument, decided: RedrivenDocument, rest: DeadLetter | None
    ) -> None:
        target = documents.redriven_key(key)
        if not documents.create(self._s3, self._bucket, target, decided) and self._decision(key) != decided:
            raise OpsError(f"{key} is being redriven by somebody else with other values.")
        self._index.store(decided.valid_rows(), decided.batch_id)
        if rest:
            record = Record(document.batch_id, document.sequence_number, rest.payload)
            DeadLetterStore(self._s3, self._bucket, document.stage).keep(record, rest)
        self._delete(key)

    def _decision(self, key: str) -> RedrivenDocument:
        return documents.read_redriven(self._s3, self._bucket, documents.redriven_key(key))

    def _delete(self, key: str) -> None:
        with translate_errors("S3"):
            self._s3.delete_object(Bucket=self._bucket, Key=key)


def payload_rows(document: SetAsideDocument) -> list[NumberedRow]:
    """The payload's rows with their places in the whole record. Raises Rejected if it cannot be read.

    A payload of some rows holds those that `errors` names, in order; without errors it is the whole record.
    """
    texts = split_ndjson(unpack(document.payload, MAX_BODY_BYTES))
    places = sorted({error.index for error in document.errors}) or list(range(len(texts)))
    if len(places) != len(texts):
        raise OpsError("The document's errors do not name the rows of its payload.")
    return [NumberedRow(index, text) for index, text in zip(places, texts, strict=True)]


def _fixed(document: SetAsideDocument, fix: Fix) -> list[NumberedRow]:
    return [fix.applied_to(row) for row in payload_rows(document) if fix.chooses(row)]


def _valid(document: SetAsideDocument, fix: Fix) -> list[NumberedRow]:
    rows = _fixed(document, fix)
    valid = set(documents.checked(rows).indexes)
    return [row for row in rows if row.index in valid]


def _errors(document: SetAsideDocument, fix: Fix) -> tuple[RowError, ...]:
    return tuple(documents.checked(_fixed(document, fix)).errors)


def _decided(document: SetAsideDocument, rows: list[NumberedRow]) -> RedrivenDocument:
    redriven = [RedrivenRow(index=row.index, text=row.text.decode()) for row in rows]
    return RedrivenDocument.model_validate({**document.model_dump(), "rows": redriven})


def _rest(document: SetAsideDocument, decided: RedrivenDocument) -> DeadLetter | None:
    """What stays set aside, as it came: not with values that did not help."""
    redriven = {row.index for row in decided.rows}
    rest = [row for row in payload_rows(document) if row.index not in redriven]
    if not rest:
        return None
    checked = documents.checked(rest)
    left = [RowError(index, None, _LEFT) for index in checked.indexes]
    payload = pack(b"\n".join(row.text for row in rest))
    return DeadLetter(payload, document.reason, (*checked.errors, *left))
