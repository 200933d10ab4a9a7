"""Dead letters, batches that Lambda discarded, and the record of what a redrive did with a dead letter.

A redriven document is created before the tables are written. It decides once and for all which rows are stored, and
with which values. The tables are built from the raw objects and from these rows.
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from botocore.exceptions import ClientError
from pydantic import TypeAdapter, ValidationError

from aws.bucket import (
    DISCARDED,
    FAILED,
    REDRIVEN,
    TO_DYNAMODB,
    Bucket,
    DeadLetterDocument,
    ListedObject,
    batch_folder,
)
from aws.errors import error_code
from aws.lambda_events import KinesisEvent
from invoices.batch import unpack
from invoices.erasure import ErasedCustomers, NumberedText, erase_row
from invoices.errors import RowError
from invoices.limits import MAX_BODY_BYTES
from invoices.rows import Rows, read_rows, split_ndjson
from pipeline_ops.errors import OpsError
from pipeline_ops.raw_objects import line_ids_of

REDRIVEN_ROWS = f"{REDRIVEN}{TO_DYNAMODB}/"


@dataclass(frozen=True, slots=True)
class NumberedRow:
    """The bytes of a row, and its position in the whole record, from 0. The bytes need not be UTF-8."""

    index: int
    text: bytes


@dataclass(frozen=True, slots=True)
class RedrivenRow:
    """The JSON text of a valid row, its position in the whole record, and its `number` in the sense of `line_id`."""

    index: int
    text: str
    number: int


@dataclass(frozen=True)
class RedrivenDocument(DeadLetterDocument):
    """The dead letter, and the rows of it that the tables now hold, with fixed values where a fix was given."""

    rows: tuple[RedrivenRow, ...]

    def valid_rows(self) -> Rows:
        return validated_rows([NumberedRow(row.index, row.text.encode()) for row in self.rows])

    def line_ids(self) -> Iterator[bytes]:
        return line_ids_of(self.valid_rows(), self.batch_id, [row.number for row in self.rows])


@dataclass(frozen=True, slots=True)
class DiscardedRecord:
    """A record as it was on the stream. The partition key is what its producer chose."""

    partition_key: str
    data: bytes


@dataclass(frozen=True, slots=True)
class DiscardedBatch:
    """Lambda's own document: why it gave up, and the whole event. `payload` is the event's JSON text."""

    function: str
    condition: str
    payload: str
    event: KinesisEvent
    records: Sequence[DiscardedRecord]


_DEAD_LETTER = TypeAdapter(DeadLetterDocument)
_REDRIVEN = TypeAdapter(RedrivenDocument)


def list_dead_letters(bucket: Bucket, stage: str | None = None) -> Iterator[ListedObject]:
    return bucket.objects(f"{FAILED}{stage}/" if stage else FAILED)


def read_dead_letter(bucket: Bucket, key: str) -> DeadLetterDocument:
    """Raises OpsError where there is no such dead letter."""
    try:
        document = _DEAD_LETTER.validate_json(_read(bucket, key))
        b64decode(document.payload_base64, validate=True)
    except ValueError as error:  # pydantic's ValidationError is one
        raise OpsError(f"{key} is not a dead letter.") from error
    return document


def is_discarded(key: str) -> bool:
    return key.startswith(DISCARDED)


def read_discarded(bucket: Bucket, key: str) -> DiscardedBatch:
    """Raises OpsError where there is no such batch."""
    try:
        document = json.loads(_read(bucket, key))
        context, payload = document["requestContext"], document["payload"]
        event = cast("KinesisEvent", json.loads(payload))
        records = [_discarded_record(record["kinesis"]) for record in event["Records"]]
        return DiscardedBatch(str(context["functionArn"]), str(context["condition"]), payload, event, records)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise OpsError(f"{key} is not a batch that Lambda discarded.") from error


def _discarded_record(kinesis: Mapping[str, object]) -> DiscardedRecord:
    return DiscardedRecord(str(kinesis["partitionKey"]), b64decode(str(kinesis["data"]), validate=True))


def read_redriven(bucket: Bucket, key: str) -> RedrivenDocument:
    """Raises OpsError where there is no such document."""
    try:
        return _REDRIVEN.validate_json(_read(bucket, key))
    except ValidationError as error:
        raise OpsError(f"{key} is not a document of a redrive.") from error


def redriven_of(bucket: Bucket, batch_id: str) -> Iterator[RedrivenDocument]:
    """What redrives stored of a batch. A batch id may contain a point, so keys of other ids may begin alike."""
    for each in bucket.objects(f"{REDRIVEN_ROWS}{batch_folder(batch_id)}/{batch_id}."):
        document = read_redriven(bucket, each.key)
        if document.batch_id == batch_id:
            yield document


def without_customers(document: RedrivenDocument, customers: ErasedCustomers) -> tuple[tuple[RedrivenRow, ...], int]:
    """The rows of the document that are left without these customers, and how many changed or are gone."""
    kept: list[RedrivenRow] = []
    changed = 0
    for row in document.rows:
        old = NumberedText(row.text.encode(), row.number)
        new = erase_row(old, document.batch_id, customers)
        changed += new is not old
        if new:
            kept.append(RedrivenRow(row.index, new.text.decode(), new.number))
    return tuple(kept), changed


def create_redriven(bucket: Bucket, key: str, document: RedrivenDocument) -> bool:
    """False where the document exists already; it stays as it is."""
    return bucket.create(key, _REDRIVEN.dump_json(document, indent=2), "application/json")


def payload_rows(document: DeadLetterDocument) -> list[NumberedRow]:
    """The rows of the payload with their positions in the whole record. Raises Rejected if it is unreadable.

    A payload of some rows holds those that `errors` names, in order; without errors it is the whole record.
    """
    texts = split_ndjson(unpack(document.payload, MAX_BODY_BYTES))
    indexes = sorted({error.index for error in document.errors}) or list(range(len(texts)))
    if len(indexes) != len(texts):
        raise OpsError("The errors of the dead letter do not name the rows of its payload.")
    return [NumberedRow(index, text) for index, text in zip(indexes, texts, strict=True)]


def validated_rows(rows: Sequence[NumberedRow]) -> Rows:
    """The lines and the errors of these rows, numbered by their positions in the whole record."""
    read = read_rows([row.text for row in rows])
    errors = [RowError(rows[error.index].index, error.field, error.message) for error in read.errors]
    return Rows(read.lines, [rows[position].index for position in read.indexes], errors)


def _read(bucket: Bucket, key: str) -> bytes:
    try:
        return bucket.read(key)
    except ClientError as error:
        if error_code(error) != "NoSuchKey":
            raise
        raise OpsError(f"There is no {key}.") from error
