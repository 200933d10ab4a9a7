"""The raw archive: one object for each batch, whatever is delivered twice."""

from collections.abc import Callable
from hashlib import blake2b
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from aws.errors import error_code, translate_errors
from consumers.records import Record, unheard
from invoices.batch import raw_key, unpack
from invoices.errors import Malformed, Rejected
from invoices.limits import MAX_BODY_BYTES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GZIP_MAGIC = b"\x1f\x8b\x08"
_ALREADY_THERE = "PreconditionFailed"
_SUFFIX = ".ndjson.gz"
_SECOND_BODY = "="  # no batch id may hold it


class Archive:
    """`raw/` in the bucket. Objects are only ever created, never overwritten. `told` hears of each record kept."""

    def __init__(self, s3: "S3Client", bucket: str, told: Callable[[Record], None] = unheard) -> None:
        self._s3 = s3
        self._told = told
        self._bucket = bucket

    def add(self, record: Record) -> None:
        """Keep the record's bytes under its batch id. Raises Malformed for bytes that are not gzip, or Retryable.

        A second body under the same batch id is kept beside the first, with its content in the name.
        """
        if not record.data.startswith(_GZIP_MAGIC):
            raise Malformed("the record is not gzip")
        key = raw_key(record.batch_id)
        if not self._create(key, record.data) and not self._holds_rows_of(key, record.data):
            self._create(second_body_key(record.batch_id, record.data), record.data)
        self._told(record)

    def _create(self, key: str, data: bytes) -> bool:
        """False if the object is there already: an earlier delivery won, or another body of this name."""
        try:
            with translate_errors("S3"):
                self._s3.put_object(
                    Bucket=self._bucket, Key=key, Body=data, IfNoneMatch="*", ContentType="application/x-ndjson"
                )
        except ClientError as error:
            if error_code(error) != _ALREADY_THERE:
                raise
            return False
        return True

    def _holds_rows_of(self, key: str, data: bytes) -> bool:
        """Compared as rows: another release of zlib may write the same rows as other bytes."""
        with translate_errors("S3"):
            there = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return there == data or _rows_of(there) == unpack(data, MAX_BODY_BYTES)


def _rows_of(there: bytes) -> bytes | None:
    """None where the object cannot be read: anybody may have put a record of this name before."""
    try:
        return unpack(there, MAX_BODY_BYTES)
    except Rejected:
        return None


def second_body_key(batch_id: str, data: bytes) -> str:
    """Where another body of a batch's name is kept: `<batch id>=<hash of its rows>.ndjson.gz`, beside the first."""
    content = blake2b(unpack(data, MAX_BODY_BYTES), digest_size=8).hexdigest()
    return f"{raw_key(batch_id).removesuffix(_SUFFIX)}{_SECOND_BODY}{content}{_SUFFIX}"


def batch_id_of(key: str) -> str:
    """The batch that a raw object belongs to, whether it holds the batch's first body or another."""
    return key.rpartition("/")[2].removesuffix(_SUFFIX).partition(_SECOND_BODY)[0]
