"""A batch: its id, and its bytes on the stream and in the archive, which are gzip NDJSON."""

import gzip
import re
import zlib
from datetime import UTC, datetime
from uuid import RFC_4122, UUID

from invoices.errors import Malformed, TooLarge
from invoices.limits import MAX_RECORD_BYTES

BATCH_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""For a JSON schema. In Python, `$` would also match before a line break at the end."""

_BATCH_ID = re.compile(BATCH_ID_PATTERN.removesuffix("$") + r"\Z")
_VERSION_WITH_TIME = 7
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_batch_id(text: str) -> str:
    """Return `text` unchanged if it is safe in an object key; raise Malformed if not."""
    if not _BATCH_ID.match(text):
        raise Malformed("a batch id is 1 to 64 letters, digits, '.', '_' or '-', and starts with a letter or digit")
    return text


def batch_id_or(text: str, fallback: str) -> str:
    """`text` if it is a batch id, else `fallback`: anybody may write to the stream, with any partition key."""
    return text if _BATCH_ID.match(text) else fallback


def batch_time(batch_id: str) -> datetime:
    """The time (UTC) that a UUIDv7 carries; 1970-01-01 for every other batch id.

    It depends on the id alone, because a lost acknowledgement can put the same batch on the stream twice. The second
    record arrives at another time and must still find the object of the first.
    """
    try:
        uuid = UUID(batch_id)
        if uuid.version != _VERSION_WITH_TIME or uuid.variant != RFC_4122:
            return _EPOCH
        return datetime.fromtimestamp((uuid.int >> 80) / 1000, UTC)
    except (ValueError, OverflowError):
        return _EPOCH


_COMPRESSION_LEVEL = 1  # 24.5 bytes a row; level 6 saves 4 of them and takes three times as long
_GZIP_FORMAT = 31  # zlib's number for gzip with the largest window
_MAX_MEMBERS = 1_000  # reading a member copies all bytes behind it: 200,000 empty members would take 8 seconds


def pack(rows: bytes) -> bytes:
    """Compress NDJSON. The same rows always make the same bytes, because no timestamp is written."""
    return gzip.compress(rows, _COMPRESSION_LEVEL, mtime=0)


def pack_record(rows: bytes) -> bytes:
    """Compress NDJSON for the stream. Raises TooLarge where the stream cannot carry it."""
    record = pack(rows)
    if len(record) > MAX_RECORD_BYTES:
        raise TooLarge("the packed batch is too large", limit=MAX_RECORD_BYTES, actual=len(record))
    return record


def unpack(data: bytes, limit: int) -> bytes:
    """Inflate up to 1,000 gzip members. Raises Malformed, or TooLarge as soon as the result is beyond `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    while data:
        if len(parts) == _MAX_MEMBERS:
            raise Malformed(f"the gzip data has more than {_MAX_MEMBERS:,} members")
        part, data = _unpack_member(data, limit - size)
        size += len(part)
        parts.append(part)
    if not parts:
        raise Malformed("the body is empty, not gzip")
    return b"".join(parts)


def unpack_first(data: bytes, limit: int) -> bytes:
    """Inflate the first gzip member. `data` may end somewhere behind it. Raises what `unpack` raises."""
    return _unpack_member(data, limit)[0]


def _unpack_member(data: bytes, limit: int) -> tuple[bytes, bytes]:
    """The inflated bytes of the first member, and the bytes behind it."""
    inflater = zlib.decompressobj(_GZIP_FORMAT)
    try:
        part = inflater.decompress(data, limit + 1)
    except zlib.error as error:
        raise Malformed("the bytes are not valid gzip") from error
    if len(part) > limit:
        raise TooLarge("the inflated batch is too large", limit=limit, actual=len(part))
    if not inflater.eof:
        raise Malformed("the gzip data ends too early")
    return part, inflater.unused_data
