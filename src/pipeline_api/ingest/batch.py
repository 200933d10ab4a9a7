"""From a body to the record that the stream gets, and to the rows that were refused."""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from invoices.batch import pack, unpack
from invoices.errors import InvalidRows, Malformed, RowError, TooLarge
from invoices.limits import MAX_BODY_BYTES, MAX_RECORD_BYTES, MAX_ROWS
from invoices.rows import check_row_count, read_in_chunks, split_ndjson
from pipeline_api.ingest.body import Media

# The rows of a body, checked: those that are taken, and what is wrong with each other one.


@dataclass(frozen=True, slots=True)
class Checked:
    """`texts` are the rows that are taken, each with its own bytes; `rejected` counts the others."""

    texts: Sequence[bytes]
    rejected: int
    errors: Sequence[RowError]


def check(texts: Sequence[bytes]) -> Checked:
    """Check rows, each a JSON text. Their lines are not kept: the stream carries the texts."""
    taken: list[bytes] = []
    errors: list[RowError] = []
    for part in read_in_chunks(texts):
        taken.extend(texts[index] for index in part.indexes)
        errors.extend(part.errors)
    return Checked(taken, len(texts) - len(taken), errors)


# Cutting JSON into the texts of its elements, without keeping what they hold.

_BLANK_RUN = re.compile(r"[ \t\r\n]*")


def _discard(_pairs: list[tuple[str, object]]) -> None:
    return None


_DECODER = json.JSONDecoder(object_pairs_hook=_discard, parse_int=str, parse_float=str, parse_constant=str)


def json_elements(data: bytes) -> list[bytes]:
    """The text of each element of an array; anything else is its own only element.

    Raises Malformed for broken JSON, and TooLarge as soon as there are more elements than a batch may have rows.
    """
    try:
        return _texts(data.decode())
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8, at byte {error.start + 1:,}") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"the body is not valid JSON, near character {error.pos + 1:,}") from None
    except RecursionError:
        raise Malformed("the body is nested too deeply") from None


def _texts(text: str) -> list[bytes]:
    texts: list[bytes] = []
    for start, end in _spans_in_array(text) if text.startswith("[") else _span_of_all(text):
        texts.append(text[start:end].encode())
        check_row_count(len(texts))
    return texts


def _span_of_all(text: str) -> Iterator[tuple[int, int]]:
    end = _end_of_value(text, 0)
    _expect_end(text, end)
    yield 0, end


def _spans_in_array(text: str) -> Iterator[tuple[int, int]]:
    position = _after_blanks(text, 1)
    closed = text.startswith("]", position)
    while not closed:
        end = _end_of_value(text, position)
        yield position, end
        position = _after_blanks(text, end)
        closed = text.startswith("]", position)
        position = position if closed else _after_comma(text, position)
    _expect_end(text, position + 1)


def _end_of_value(text: str, start: int) -> int:
    _, end = _DECODER.raw_decode(text, start)
    return end


def _after_comma(text: str, position: int) -> int:
    if not text.startswith(",", position):
        raise json.JSONDecodeError("a comma is missing", text, position)
    return _after_blanks(text, position + 1)


def _after_blanks(text: str, position: int) -> int:
    blanks = _BLANK_RUN.match(text, position)
    return blanks.end() if blanks else position


def _expect_end(text: str, position: int) -> None:
    if _after_blanks(text, position) < len(text):
        raise json.JSONDecodeError("more than one value", text, position)


# A body of JSON: one row as an object, or many in an array.

_BLANKS = b" \t\r\n"
_SEPARATORS = (b"}, {", b"},{")


def read_json_body(text: bytes) -> Checked:
    """Raises Malformed where it is no JSON at all, and TooLarge beyond the limit of rows.

    Rows that are split naively count if each is valid, because then the array around them is, too, or if a
    parser tells them apart in the same way.
    """
    text = text.removeprefix(BOM_UTF8).strip(_BLANKS)
    split = _split_naively(text)
    checked = check(split)
    if checked.texts and not checked.errors:
        return checked
    elements = [_on_one_line(element) for element in json_elements(text)]
    return checked if elements == split else check(elements)


def _split_naively(text: bytes) -> list[bytes]:
    """The elements of an array of objects, if no text in it looks like the end of one. A parser takes far longer."""
    if b"\n" in text or b"\r" in text:
        return []
    if not text.startswith(b"["):
        return [text]
    array = text[1:-1].strip(_BLANKS)
    if not (text.endswith(b"]") and array.startswith(b"{") and array.endswith(b"}")):
        return []
    rows = array[1:-1].split(_separator(array), MAX_ROWS)
    return [b"{%b}" % row for row in rows] if len(rows) <= MAX_ROWS else []


def _separator(array: bytes) -> bytes:
    return next((separator for separator in _SEPARATORS if separator in array), _SEPARATORS[0])


def _on_one_line(element: bytes) -> bytes:
    """In valid JSON a line break is only ever a blank between two values."""
    return element.replace(b"\n", b" ").replace(b"\r", b" ")


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
    checked = check(split_ndjson(text)) if media.ndjson else read_json_body(text)
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
