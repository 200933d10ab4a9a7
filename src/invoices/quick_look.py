"""Some rows at once, in compiled code: quick, but it cannot tell which row is at fault, or how."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import FailFast, TypeAdapter, ValidationError

from invoices.limits import MAX_ROW_BYTES
from invoices.line import Line
from invoices.named_once import name_ends, names_fields_once

_LINES: TypeAdapter[list[Line]] = TypeAdapter(Annotated[list[Line], FailFast()])
_MOST_NAME_ENDS_PER_ROW = 10  # a row has nine fields; a quote and a colon in a description look like one more
_BLANKS_IN_A_LINE = b" \t\r"


def lines_if_all_valid(texts: Sequence[bytes]) -> list[Line] | None:
    """The lines of rows' JSON texts, or None where any of them needs a closer look.

    The texts are joined to one JSON array with a line break behind each comma: a string that spans two texts is
    refused for the break in it. As each begins with `{` and ends with `}`, no object spans two texts either, so as
    many lines as texts mean that each text was one object.
    """
    array = b"[%b]" % b",\n".join(texts)
    ends = name_ends(array)
    if ends > len(texts) * _MOST_NAME_ENDS_PER_ROW or not _look_like_rows(array, texts):
        return None
    try:
        lines = _LINES.validate_json(array)
    except ValidationError:
        return None
    return lines if len(lines) == len(texts) and names_fields_once(array, ends, lines, _BLANKS_IN_A_LINE) else None


def _look_like_rows(array: bytes, texts: Sequence[bytes]) -> bool:
    """Asked before a parser is: it would first build all names and values, 100 bytes for each byte of a bomb."""
    return (
        array.count(b"\n") == len(texts) - 1
        and array.find(b"[", 1) < 0
        and {text[:1] for text in texts} == {b"{"}
        and {text[-1:] for text in texts} == {b"}"}
        and max(map(len, texts)) <= MAX_ROW_BYTES
    )
