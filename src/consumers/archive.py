"""The raw archive: one object for each batch, however often it is delivered."""

from aws.bucket import Bucket, raw_key, second_body_key
from aws.metrics import Metric
from consumers.batch_loop import Outcome, Record
from invoices.batch import unpack
from invoices.errors import Malformed, Rejected
from invoices.limits import MAX_BODY_BYTES

_GZIP_MAGIC = b"\x1f\x8b\x08"
_CONTENT_TYPE = "application/x-ndjson"


class Archive:
    """`raw/` in the bucket. It only creates objects; it never overwrites one."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def add(self, record: Record) -> Outcome:
        """Store the record's bytes under its batch id. Raises Malformed for bytes that are not gzip, or Retryable.

        Another body that arrives under the same batch id gets an object of its own beside the first.
        """
        if not record.data.startswith(_GZIP_MAGIC):
            raise Malformed("the record is not gzip")
        key = raw_key(record.batch_id)
        if not self._bucket.create(key, record.data, _CONTENT_TYPE) and not self._holds_rows_of(key, record.data):
            self._bucket.create(second_body_key(record.batch_id, record.data), record.data, _CONTENT_TYPE)
        return Outcome([Metric("RecordsArchived", 1)])

    def _holds_rows_of(self, key: str, data: bytes) -> bool:
        """Compares rows, because another release of zlib may compress the same rows to other bytes."""
        stored = self._bucket.read(key)
        return stored == data or _rows_of(stored) == unpack(data, MAX_BODY_BYTES)


def _rows_of(stored: bytes) -> bytes | None:
    """None if the object is unreadable: anybody may have written a record with this batch id before."""
    try:
        return unpack(stored, MAX_BODY_BYTES)
    except Rejected:
        return None
