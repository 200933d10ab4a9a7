"""From a body to the record that the stream gets, and to the rows that were refused."""

from collections.abc import Sequence
from dataclasses import dataclass

from invoices.errors import InvalidRows, Malformed, RowError, TooLarge
from invoices.limits import MAX_BODY_BYTES, MAX_RECORD_BYTES
from invoices.packing import pack, unpack
from pipeline_api.ingest.checked import Checked
from pipeline_api.ingest.json_body import read_json_body
from pipeline_api.ingest.media import Media
from pipeline_api.ingest.ndjson_body import read_ndjson_body


@dataclass(frozen=True, slots=True)
class Batch:
    """`record` is gzip NDJSON of the accepted rows. The same body always makes the same bytes."""

    record: bytes
    accepted: int
    rejected: int
    errors: Sequence[RowError]


def batch_of(body: bytes, media: Media) -> Batch:
    """Raises Malformed, TooLarge, or InvalidRows where no row is left."""
    text = unpack(body, MAX_BODY_BYTES) if body and media.gzipped else body
    if not text:
        raise Malformed("the body is empty")
    checked = read_ndjson_body(text) if media.ndjson else read_json_body(text)
    rows = checked.rows
    if not rows.lines:
        raise InvalidRows("not one row is valid" if rows.errors else "the body holds no row", rows.errors)
    return Batch(_record(body, media, checked), len(rows.lines), rows.rejected, rows.errors)


def _record(body: bytes, media: Media, checked: Checked) -> bytes:
    """The body itself where it already is what the stream carries: packing is most of the cost of a batch."""
    if media.ndjson and media.gzipped and not checked.rows.errors and len(body) <= MAX_RECORD_BYTES:
        return body
    record = pack(checked.ndjson())
    if len(record) > MAX_RECORD_BYTES:
        raise TooLarge("the packed batch is too large", limit=MAX_RECORD_BYTES, actual=len(record))
    return record
