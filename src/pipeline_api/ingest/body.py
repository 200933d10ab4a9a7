"""The body of a request: how its headers describe it, and its bytes up to the limit."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from invoices.errors import TooLarge
from invoices.limits import MAX_BODY_BYTES
from pipeline_api.problems import UnsupportedMedia

JSON = "application/json"
NDJSON = "application/x-ndjson"

_GZIP = frozenset({"gzip", "x-gzip"})  # RFC 9110, 8.4.1.3: both mean the same
_NO_ENCODING = frozenset({"", "identity"})
_UTF8 = frozenset({"utf-8", "utf8"})
_MAX_LENGTH_DIGITS = 18  # more digits in Content-Length are no size but an attack on int()


@dataclass(frozen=True, slots=True)
class Media:
    """How to read a body."""

    ndjson: bool
    gzipped: bool


def parse_media(headers: Mapping[str, str]) -> Media:
    """Raises UnsupportedMedia, which says what the API accepts."""
    media_type, *parameters = (part.strip().lower() for part in headers.get("content-type", "").split(";"))
    if media_type not in (JSON, NDJSON):
        raise UnsupportedMedia(f"Content-Type must be {JSON} or {NDJSON}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in _UTF8:
            raise UnsupportedMedia("the charset of the body must be UTF-8")
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in _GZIP | _NO_ENCODING:
        raise UnsupportedMedia("Content-Encoding must be gzip or identity")
    return Media(media_type == NDJSON, encoding in _GZIP)


async def read_body(request: Request) -> bytes:
    """Raises TooLarge before reading, if Content-Length is above the limit, or as soon as the bytes are."""
    digits = request.headers.get("content-length", "")[:_MAX_LENGTH_DIGITS]
    if digits.isascii() and digits.isdecimal():
        _check_size(int(digits))
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        _check_size(size)
        chunks.append(chunk)
    return b"".join(chunks)


def _check_size(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise TooLarge("the body is too large", limit=MAX_BODY_BYTES, actual=size)
