"""The raw objects of the archive and the rows in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aws.bucket import RAW, Bucket, batch_id_of, hour_folder, raw_key, second_body_key
from consumers.batch_loop import Record
from invoices.batch import unpack
from invoices.limits import MAX_BODY_BYTES
from invoices.line import line_id, numbers_in_batch
from invoices.rows import Rows, read_ndjson
from pipeline_ops.options import TimeRange


@dataclass(frozen=True, slots=True)
class RawObject:
    """`content` is a hash of the rows' text, which does not depend on how gzip compressed them."""

    key: str
    batch_id: str
    rows: Rows
    has_valid_key: bool

    def line_ids(self) -> Iterator[bytes]:
        return line_ids_of(self.rows, self.batch_id, numbers_in_batch(self.rows.lines))


def raw_keys(bucket: Bucket, span: TimeRange, after: str = "") -> Iterator[str]:
    """The raw objects of the hours in `span` whose keys sort after `after`. Batch ids without a time: 1970-01-01."""
    return keys_of_hours(bucket, RAW, span, after)


def raw_keys_of(bucket: Bucket, batch_id: str) -> Iterator[str]:
    """The raw objects of one batch: more than one where it was sent with several bodies."""
    prefix = raw_key(batch_id).removesuffix(".ndjson.gz")
    return (each.key for each in bucket.objects(prefix) if batch_id_of(each.key) == batch_id)


def keys_of_hours(bucket: Bucket, prefix: str, span: TimeRange, after: str = "") -> Iterator[str]:
    """Like raw_keys, for any prefix that `dt=…/hour=…/` follows."""
    start_after = max(after, f"{prefix}{hour_folder(span.start)}/" if span.start else "")
    end = f"{prefix}{hour_folder(span.end)}/" if span.end else None
    for each in bucket.objects(prefix, start_after):
        if end and each.key >= end:
            return
        yield each.key


def read_record(bucket: Bucket, key: str) -> Record:
    """The record that a consumer received and archived as this object."""
    data, written_at = bucket.read_dated(key)
    return Record(batch_id_of(key), sequence_number="0", data=data, arrived_at=written_at)


def read_raw_object(bucket: Bucket, key: str) -> RawObject:
    """Raises Rejected for an object that is not gzip NDJSON within the limits."""
    record = read_record(bucket, key)
    text = unpack(record.data, MAX_BODY_BYTES)
    return RawObject(
        key=key,
        batch_id=record.batch_id,
        rows=read_ndjson(text),
        has_valid_key=key in (raw_key(record.batch_id), second_body_key(record.batch_id, record.data)),
    )


def line_ids_of(rows: Rows, batch_id: str, numbers: Sequence[int]) -> Iterator[bytes]:
    """The id of each line. Bytes, because the ids of half a million lines take twice the memory as text."""
    for line, number in zip(rows.lines, numbers, strict=True):
        yield bytes.fromhex(line_id(line, batch_id, number))
