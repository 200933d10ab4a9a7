"""From a body to the record that the stream gets, and to the rows that were refused."""

from collections.abc import Sequence
from dataclasses import dataclass

from invoices.errors import InvalidRows, Malformed, RowError, TooLarge
from invoices.limits import MAX_BODY_BYTES, MAX_RECORD_BYTES
from invoices.packing import pack, unpack
from invoices.rows import ndjson_rows
from pipeline_api.ingest.checked import Checked, check
from pipeline_api.ingest.json_body import read_json_body
from pipeline_api.ingest.media import Media


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
    checked = check(ndjson_rows(text)) if media.ndjson else read_json_body(text)
    if not checked.texts:
        raise InvalidRows("not one row is valid" if checked.errors else "the body holds no row", checked.errors)
    return Batch(_record(body, media, checked), len(checked.texts), checked.rejected, checked.errors)


def _record(body: bytes, media: Media, checked: Checked) -> bytes:
    """The body itself where it already is what the stream carries: packing is most of the cost of a batch."""
    if media.ndjson and media.gzipped and not checked.errors and len(body) <= MAX_RECORD_BYTES:
        return body
    record = pack(b"\n".join(checked.texts))
    if len(record) > MAX_RECORD_BYTES:
        raise TooLarge("the packed batch is too large", limit=MAX_RECORD_BYTES, actual=len(record))
    return record
