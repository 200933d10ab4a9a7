"""The bytes of a request, never more than the limit."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from invoices.errors import TooLarge
from invoices.limits import MAX_BODY_BYTES
from pipeline_api.errors import UnsupportedMedia

# What the headers say of the body.

JSON = "application/json"
NDJSON = "application/x-ndjson"
_GZIP = frozenset({"gzip", "x-gzip"})  # RFC 9110, 8.4.1.3: both are one
_PLAIN = frozenset({"", "identity"})
_UTF8 = frozenset({"utf-8", "utf8"})


@dataclass(frozen=True, slots=True)
class Media:
    """How to read a body."""

    ndjson: bool
    gzipped: bool


def media_of(headers: Mapping[str, str]) -> Media:
    """Raises UnsupportedMedia with what would have been taken."""
    media_type, *parameters = (part.strip().lower() for part in headers.get("content-type", "").split(";"))
    if media_type not in (JSON, NDJSON):
        raise UnsupportedMedia(f"Content-Type must be {JSON} or {NDJSON}")
    if any(_is_other_charset(parameter) for parameter in parameters):
        raise UnsupportedMedia("the body must be in UTF-8")
    return Media(media_type == NDJSON, _is_gzip(headers.get("content-encoding", "")))


def _is_other_charset(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "charset" and value.strip().strip('"') not in _UTF8


def _is_gzip(encoding: str) -> bool:
    encoding = encoding.strip().lower()
    if encoding not in _GZIP | _PLAIN:
        raise UnsupportedMedia("Content-Encoding must be gzip or identity")
    return encoding in _GZIP


_LONGEST_LENGTH = 18  # digits; a Content-Length of more is no size but an attack on int()


async def read_body(request: Request) -> bytes:
    """Raises TooLarge by what Content-Length says, before reading, or as soon as the limit is passed."""
    _check_size(_declared_size(request))
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        _check_size(size)
        chunks.append(chunk)
    return b"".join(chunks)


def _declared_size(request: Request) -> int:
    digits = request.headers.get("content-length", "")[:_LONGEST_LENGTH]
    return int(digits) if digits.isascii() and digits.isdecimal() else 0


def _check_size(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise TooLarge("the body is too large", limit=MAX_BODY_BYTES, actual=size)
