"""The documents under `failed/`, and under `failed-redriven/` what became of them.

A redriven document is written before the tables are: it decides once and for all which rows go in, and as what. Its
rows are part of what the tables are built from, beside the raw objects.
"""

from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, ValidationError

from aws.errors import error_code, translate_errors
from consumers.archive import batch_id_of, second_body_key
from consumers.records import Record
from invoices.batch import raw_key, unpack
from invoices.errors import RowError
from invoices.limits import MAX_BODY_BYTES
from invoices.line import line_id
from invoices.rows import Rows, read_ndjson, read_rows
from pipeline_ops.errors import OpsError
from pipeline_ops.options import TimeRange

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The bucket: what is in it, in the order of the keys.


@dataclass(frozen=True, slots=True)
class Listed:
    key: str
    written_at: datetime


def objects_under(s3: "S3Client", bucket: str, prefix: str, start_after: str = "") -> Iterator[Listed]:
    """Every object whose key begins with the prefix and sorts after `start_after`."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, StartAfter=start_after)
    with translate_errors("S3"):
        for page in pages:
            yield from (Listed(each["Key"], each["LastModified"]) for each in page.get("Contents", []))


def read_bytes(s3: "S3Client", bucket: str, key: str) -> bytes:
    with translate_errors("S3"):
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


# What the archive holds: raw objects in the order of their keys, and the rows in each.

RAW = "raw/"


@dataclass(frozen=True, slots=True)
class RawObject:
    """`content` is a hash of its rows as text, whatever gzip made of them."""

    key: str
    batch_id: str
    rows: Rows
    content: bytes
    is_named_well: bool

    def line_ids(self) -> Iterator[bytes]:
        for line, index in zip(self.rows.lines, self.rows.indexes, strict=True):
            yield bytes.fromhex(line_id(line, self.batch_id, index))


def raw_keys(s3: "S3Client", bucket: str, span: TimeRange, after: str = "") -> Iterator[str]:
    """The keys of the hours in the range that sort after `after`. Batches whose names have no time: 1970-01-01."""
    return keys_of_hours(s3, bucket, RAW, span, after)


def keys_of_hours(s3: "S3Client", bucket: str, prefix: str, span: TimeRange, after: str = "") -> Iterator[str]:
    """As `raw_keys`, for any prefix that is followed by `dt=…/hour=…/`."""
    start_after = max(after, f"{prefix}{span.start:dt=%Y-%m-%d/hour=%H/}" if span.start else "")
    end = f"{prefix}{span.end:dt=%Y-%m-%d/hour=%H/}" if span.end else None
    for each in objects_under(s3, bucket, prefix, start_after):
        if end and each.key >= end:
            return
        yield each.key


def read_record(s3: "S3Client", bucket: str, key: str) -> Record:
    """The record that became this object, as a consumer takes it."""
    return Record(batch_id_of(key), sequence_number="0", data=read_bytes(s3, bucket, key))


def read_raw_object(s3: "S3Client", bucket: str, key: str) -> RawObject:
    """Raises Rejected for an object that is no gzip NDJSON within the limits."""
    record = read_record(s3, bucket, key)
    text = unpack(record.data, MAX_BODY_BYTES)
    names = (raw_key(record.batch_id), second_body_key(record.batch_id, record.data))
    content = blake2b(text, digest_size=16).digest()
    return RawObject(key, record.batch_id, read_ndjson(text), content, is_named_well=key in names)


FAILED = "failed/"
REDRIVEN = "failed-redriven/"
TO_DYNAMODB = "to_dynamodb"
REDRIVEN_ROWS = f"{REDRIVEN}{TO_DYNAMODB}/"
_ALREADY_THERE = "PreconditionFailed"
_NOT_THERE = "NoSuchKey"


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class NumberedRow:
    """A row as it came and its place in the whole record, from 0. It need not be UTF-8."""

    index: int
    text: bytes


class RedrivenRow(_Document):
    """A valid row's JSON text and its place in the whole record."""

    index: int
    text: str


_D = TypeVar("_D", bound=_Document)


class SetAsideDocument(_Document):
    """What a consumer wrote; see `consumers.dead_letters.DeadLetterDocument`."""

    stage: str
    batch_id: str
    sequence_number: str
    reason: str
    errors: tuple[RowError, ...]
    payload_base64: str

    @property
    def payload(self) -> bytes:
        return b64decode(self.payload_base64)


class RedrivenDocument(SetAsideDocument):
    """`rows` are those that went into the tables, as they were sent: fixed, where a fix was given."""

    rows: tuple[RedrivenRow, ...]

    def valid_rows(self) -> Rows:
        return checked([NumberedRow(row.index, row.text.encode()) for row in self.rows])

    def line_ids(self) -> Iterator[bytes]:
        rows = self.valid_rows()
        for line, index in zip(rows.lines, rows.indexes, strict=True):
            yield bytes.fromhex(line_id(line, self.batch_id, index))


def checked(rows: Sequence[NumberedRow]) -> Rows:
    """The rows' lines and errors, numbered by their place in the whole record."""
    read = read_rows([row.text for row in rows])
    errors = [RowError(rows[error.index].index, error.field, error.message) for error in read.errors]
    return Rows(read.lines, [rows[position].index for position in read.indexes], errors)


def set_aside_documents(s3: "S3Client", bucket: str, stage: str | None = None) -> Iterator[Listed]:
    return objects_under(s3, bucket, f"{FAILED}{stage}/" if stage else FAILED)


def read_set_aside(s3: "S3Client", bucket: str, key: str) -> SetAsideDocument:
    """Raises OpsError where there is no such document."""
    return _read(s3, bucket, key, SetAsideDocument)


def read_redriven(s3: "S3Client", bucket: str, key: str) -> RedrivenDocument:
    return _read(s3, bucket, key, RedrivenDocument)


def redriven_key(key: str) -> str:
    return f"{REDRIVEN}{key.removeprefix(FAILED)}"


def exists(s3: "S3Client", bucket: str, key: str) -> bool:
    return any(each.key == key for each in objects_under(s3, bucket, key))


def create(s3: "S3Client", bucket: str, key: str, document: RedrivenDocument) -> bool:
    """False if one is there already, which is then as it was."""
    body = document.model_dump_json(indent=2).encode()
    try:
        with translate_errors("S3"):
            s3.put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*", ContentType="application/json")
    except ClientError as error:
        if error_code(error) != _ALREADY_THERE:
            raise
        return False
    return True


def _read(s3: "S3Client", bucket: str, key: str, kind: type[_D]) -> _D:
    try:
        return kind.model_validate_json(read_bytes(s3, bucket, key))
    except ValidationError as error:
        raise OpsError(f"{key} is no document of a record that was set aside.") from error
    except ClientError as error:
        if error_code(error) != _NOT_THERE:
            raise
        raise OpsError(f"There is no {key}.") from error
