"""A body of JSON: one row as an object, or many in an array."""

from codecs import BOM_UTF8

from invoices.limits import MAX_ROWS
from pipeline_api.ingest.checked import Checked, check
from pipeline_api.ingest.json_elements import json_elements

_BLANKS = b" \t\r\n"
_GAPS = (b"}, {", b"},{")


def read_json_body(text: bytes) -> Checked:
    """Raises Malformed where it is no JSON at all, and TooLarge beyond the limit of rows.

    Rows that are told apart by a glance count if each is valid, because then the array around them is, too, or if a
    parser tells them apart in the same way.
    """
    text = text.removeprefix(BOM_UTF8).strip(_BLANKS)
    glanced = _at_a_glance(text)
    checked = check(glanced)
    if checked.texts and not checked.errors:
        return checked
    elements = [_on_one_line(element) for element in json_elements(text)]
    return checked if elements == glanced else check(elements)


def _at_a_glance(text: bytes) -> list[bytes]:
    """The elements of an array of objects, if no text in it looks like the end of one. A parser takes far longer."""
    if b"\n" in text or b"\r" in text:
        return []
    if not text.startswith(b"["):
        return [text]
    array = text[1:-1].strip(_BLANKS)
    if not (text.endswith(b"]") and array.startswith(b"{") and array.endswith(b"}")):
        return []
    rows = array[1:-1].split(_gap(array), MAX_ROWS)
    return [b"{%b}" % row for row in rows] if len(rows) <= MAX_ROWS else []


def _gap(array: bytes) -> bytes:
    return next((gap for gap in _GAPS if gap in array), _GAPS[0])


def _on_one_line(element: bytes) -> bytes:
    """In valid JSON a line break is only ever a blank between two values."""
    return element.replace(b"\n", b" ").replace(b"\r", b" ")
