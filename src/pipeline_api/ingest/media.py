"""What the headers say of the body."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline_api.refusals import UnsupportedMedia

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
