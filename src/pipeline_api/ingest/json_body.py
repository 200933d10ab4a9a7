"""A body of JSON: one row as an object, or many in an array."""

from codecs import BOM_UTF8
from collections.abc import Sequence

from invoices.limits import MAX_ROWS
from invoices.line import Line
from invoices.rows import Rows, lines_if_all_valid, read_each
from pipeline_api.ingest.checked import Checked
from pipeline_api.ingest.json_elements import json_elements

_BLANKS = b" \t\r\n"
_GAPS = (b"}, {", b"},{")
_MOST_COMMAS = 20 * MAX_ROWS  # eight between the fields of a row, one behind it, and some in its texts


def read_json_body(text: bytes) -> Checked:
    """Raises Malformed where it is no JSON at all, and TooLarge beyond the limit of rows."""
    text = text.removeprefix(BOM_UTF8).strip(_BLANKS)
    if (all_valid := _rows_if_all_valid(text)) is not None:
        return Checked(all_valid, lambda: _own_lines(text, len(all_valid.lines)) or _ndjson(all_valid.lines))
    rows = read_each(json_elements(text))
    return Checked(rows, lambda: _ndjson(rows.lines))


def _rows_if_all_valid(text: bytes) -> Rows | None:
    if text.count(b"{") > MAX_ROWS or text.count(b",") > _MOST_COMMAS:
        return None  # cheap to ask; a parser would first build every value
    is_array = text.startswith(b"[")
    lines = lines_if_all_valid(text if is_array else b"[%b]" % text)
    if not lines or (len(lines) > 1 and not is_array):
        return None
    return Rows(lines, range(len(lines)), [])


def _own_lines(text: bytes, rows: int) -> bytes | None:
    """The rows' own texts, a line each, where a glance tells them apart: writing them anew takes half as long again.

    With no more braces than rows there is none inside a text, so what looks like the end of a row is one.
    """
    if text.count(b"{") != rows or text.count(b"}") != rows or b"\n" in text or b"\r" in text:
        return None
    array = text.removeprefix(b"[").removesuffix(b"]").strip(_BLANKS)
    return next((array.replace(gap, b"}\n{") for gap in _GAPS if array.count(gap) == rows - 1), None)


def _ndjson(lines: Sequence[Line]) -> bytes:
    """Written anew from what was checked: a row's own text may stretch over several lines."""
    to_json = Line.__pydantic_serializer__.to_json
    return b"\n".join(to_json(line, exclude_none=True) for line in lines)
