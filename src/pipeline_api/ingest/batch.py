"""From a request to the record for the stream, and to the errors of the rejected rows.

`parse_media` reads what the headers say of the body, `read_body` its bytes, `read_batch` the rows in it.
"""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from invoices.batch import pack_record, unpack
from invoices.errors import InvalidRows, Malformed, RowError, TooLarge
from invoices.limits import MAX_BODY_BYTES, MAX_RECORD_BYTES, MAX_ROW_BYTES, MAX_ROWS
from invoices.rows import check_row_count, read_in_chunks, reject_unnamed_statements, split_ndjson
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


@dataclass(frozen=True, slots=True)
class Batch:
    """`record` is gzip NDJSON of the accepted rows. The same body always makes the same bytes.

    `rejected` has the bytes of each rejected row by its index.
    `is_ordinary`: no accepted row restates a line or takes one back.
    """

    record: bytes
    accepted: int
    rejected: Mapping[int, bytes]
    errors: Sequence[RowError]
    is_ordinary: bool


def read_batch(body: bytes, media: Media) -> Batch:
    """Raises Malformed, TooLarge, or InvalidRows if no row is valid."""
    text = unpack(body, MAX_BODY_BYTES) if body and media.gzipped else body
    if not text:
        raise Malformed("the body is empty")
    rows = validate_rows(split_ndjson(text)) if media.ndjson else validate_json(text)
    if not rows.texts:
        raise InvalidRows("no row is valid" if rows.errors else "the body has no row", rows.errors, rows.rejected)
    return Batch(_record(body, media, rows), len(rows.texts), rows.rejected, rows.errors, rows.are_ordinary)


@dataclass(frozen=True, slots=True)
class ValidatedRows:
    """`texts` are the valid rows, each with its own bytes; `rejected` has the others by their index."""

    texts: Sequence[bytes]
    rejected: Mapping[int, bytes]
    errors: Sequence[RowError]
    are_ordinary: bool


def validate_rows(texts: Sequence[bytes]) -> ValidatedRows:
    """Validate rows, each a JSON text. The lines are not kept, because the stream carries the texts."""
    valid: list[bytes] = []
    errors: list[RowError] = []
    are_ordinary = True
    for read in read_in_chunks(texts):
        chunk = read
        if not read.are_ordinary:
            chunk = reject_unnamed_statements(read)
            are_ordinary = are_ordinary and chunk.are_ordinary
        valid.extend(texts[index] for index in chunk.indexes)
        errors.extend(chunk.errors)
    rejected = {error.index: texts[error.index] for error in errors}
    return ValidatedRows(valid, rejected, errors, are_ordinary)


def _record(body: bytes, media: Media, rows: ValidatedRows) -> bytes:
    """The body itself if the stream can carry it as it is: packing is most of the cost of a batch."""
    if media.ndjson and media.gzipped and not rows.errors and len(body) <= MAX_RECORD_BYTES:
        return body
    return pack_record(b"\n".join(rows.texts))


_BLANKS = b" \t\r\n"
_LINE_BREAKS_TO_SPACES = bytes.maketrans(b"\r\n", b"  ")


def validate_json(text: bytes) -> ValidatedRows:
    """Validate one row as a JSON object, or many in an array.

    Raises Malformed if the text is not JSON, and TooLarge if there are too many rows. A parser takes far longer than a
    naive split, so we split naively first. The result is right if all rows are valid, because then the array around
    them is valid too, and also if the parser splits the text alike.
    """
    text = text.removeprefix(BOM_UTF8).strip(_BLANKS)
    naive = _split_naively(text)
    rows = validate_rows(naive)
    if rows.texts and not rows.errors:
        return rows
    # In valid JSON a line break only stands between two values. A row must be one line of the record.
    elements = [element.translate(_LINE_BREAKS_TO_SPACES) for element in split_json(text)]
    return rows if elements == naive else validate_rows(elements)


def _split_naively(text: bytes) -> list[bytes]:
    """The elements of an array of objects, or the one object. Wrong if a value in it contains the separator."""
    if b"\n" in text or b"\r" in text:
        return []
    if not text.startswith(b"["):
        return [text]
    array = text[1:-1].strip(_BLANKS)
    if not (text.endswith(b"]") and array.startswith(b"{") and array.endswith(b"}")):
        return []
    separator = b"}, {" if b"}, {" in array else b"},{"
    rows = array[1:-1].split(separator, MAX_ROWS)
    return [b"{%b}" % row for row in rows] if len(rows) <= MAX_ROWS else []


def split_json(data: bytes) -> list[bytes]:
    """The text of each element of an array. Any other value is its own only element.

    Raises Malformed for broken JSON, and TooLarge as soon as there are more elements than a batch may have rows, or an
    element is longer than a row may be: nobody knows where it ends without a walk through all of it.
    """
    try:
        text = data.decode()
        elements: list[bytes] = []
        for start, end in _element_spans(text):
            elements.append(text[start:end].encode())
            check_row_count(len(elements))
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8, at byte {error.start + 1:,}") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"the body is not valid JSON, near character {error.pos + 1:,}") from None
    except RecursionError:
        raise Malformed("the body is nested too deeply") from None
    return elements


def _discard(_pairs: list[tuple[str, object]]) -> None:
    """Keep nothing of an object: only its end is of interest, and its values would take much memory."""


_DECODER = json.JSONDecoder(object_pairs_hook=_discard, parse_int=str, parse_float=str, parse_constant=str)
_BLANK_RUN = re.compile(r"[ \t\r\n]*")


def _element_spans(text: str) -> Iterator[tuple[int, int]]:
    """Where each element starts and ends. Raises JSONDecodeError."""
    if not text.startswith("["):
        end = _element_end(text, 0)
        yield 0, end
        _expect_end(text, end)
        return
    position = _skip_blanks(text, 1)
    closed = text.startswith("]", position)
    while not closed:
        end = _element_end(text, position)
        yield position, end
        position = _skip_blanks(text, end)
        closed = text.startswith("]", position)
        position = position if closed else _skip_comma(text, position)
    _expect_end(text, position + 1)


_USUAL_ROW_CHARACTERS = 4_096
_LONGEST_TOKEN = 12  # `\\ud83d\\ude00`: where a text is cut, an error is at most so far from its end


def _element_end(text: str, start: int) -> int:
    """Raises JSONDecodeError, or TooLarge if the element is longer than a row may be."""
    for size in (_USUAL_ROW_CHARACTERS, MAX_ROW_BYTES + 1):
        window = text[start : start + size]
        is_cut = start + size < len(text)
        try:
            _, end = _DECODER.raw_decode(window)
        except json.JSONDecodeError as error:
            if not (is_cut and _may_go_on(error)):
                raise json.JSONDecodeError(error.msg, text, start + error.pos) from None
        else:
            if not is_cut or end < len(window):  # a number goes on behind the cut
                return start + end
    raise TooLarge("a row is too large", limit=MAX_ROW_BYTES, actual=MAX_ROW_BYTES + 1)


def _may_go_on(error: json.JSONDecodeError) -> bool:
    """Whether the error comes from the cut at the end of the text. The error of an open string is at its start."""
    return error.msg.startswith("Unterminated string") or error.pos >= len(error.doc) - _LONGEST_TOKEN


def _skip_comma(text: str, position: int) -> int:
    if not text.startswith(",", position):
        raise json.JSONDecodeError("a comma is missing", text, position)
    return _skip_blanks(text, position + 1)


def _skip_blanks(text: str, position: int) -> int:
    blanks = _BLANK_RUN.match(text, position)
    return blanks.end() if blanks else position


def _expect_end(text: str, position: int) -> None:
    if _skip_blanks(text, position) < len(text):
        raise json.JSONDecodeError("more than one value", text, position)
