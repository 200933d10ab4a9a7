"""What the archive holds: raw objects in the order of their keys, and the rows in each."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from consumers.archive import batch_id_of, second_body_key
from consumers.event import Record
from invoices.batch_id import raw_key
from invoices.limits import MAX_BODY_BYTES
from invoices.line_id import line_id
from invoices.packing import unpack
from invoices.rows import Rows, read_ndjson
from pipeline_ops.bucket import objects_under, read_bytes
from pipeline_ops.time_range import TimeRange

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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
