"""The documents under `failed/`, and under `failed-redriven/` what became of them.

A redriven document is written before the tables are: it decides once and for all which rows go in, and as what. Its
rows are part of what the tables are built from, beside the raw objects.
"""

from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, ValidationError

from aws.faults import error_code, retryable_faults
from invoices.errors import RowError
from invoices.line_id import line_id
from invoices.rows import Rows, read_rows
from pipeline_ops.bucket import Listed, objects_under, read_bytes
from pipeline_ops.errors import OpsError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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
    """What a consumer wrote; see `consumers.set_aside.FailedObject`."""

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
        with retryable_faults("S3"):
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
