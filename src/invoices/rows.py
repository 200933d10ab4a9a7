"""From the texts of a batch's rows to lines, and to the errors of the rows that are none."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Annotated

from pydantic import FailFast, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from invoices.errors import RowError, TooLarge
from invoices.fields import RULES
from invoices.limits import MAX_ERRORS_PER_ROW, MAX_ROW_BYTES, MAX_ROWS
from invoices.line import Line

# Whether JSON rows name each field once: a parser keeps the last of two equal names in silence, and we refuse the row.

_NAME_END = b'":'
_ESCAPED_NAME_END = b'\\":'


def name_ends(text: bytes) -> int:
    """At least as many as there are names, where no colon has a blank before it."""
    return text.count(_NAME_END)


def names_fields_once(text: bytes, ends: int, lines: Iterable[Line], blanks: bytes = b" \t\r\n") -> bool:
    """For JSON text, its `name_ends` and the lines that were read from it. Sound, but says no too often.

    `blanks` are those that may stand before a colon.
    """
    names = ends - (text.count(_ESCAPED_NAME_END) if b"\\" in text else 0)
    return names == sum(len(line.model_fields_set) for line in lines) and not _has_spaced_colon(text, blanks)


def _has_spaced_colon(text: bytes, blanks: bytes) -> bool:
    return any(blank in text and b"%c:" % blank in text for blank in blanks)


# Some rows at once, in compiled code: quick, but it cannot tell which row is at fault, or how.

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


_ROWS_AT_A_TIME = 250  # a bad row slows down these, not the batch; and what was read is still in the caches
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Rows:
    """What a batch holds. `indexes[i]` is the row that `lines[i]` was; rows count from 0, blank lines do not."""

    lines: list[Line]
    indexes: Sequence[int]
    errors: list[RowError]

    @property
    def rejected(self) -> int:
        return len({error.index for error in self.errors})


def read_ndjson(data: bytes) -> Rows:
    """Check every row of NDJSON. Raises TooLarge beyond MAX_ROWS; a bad row is an error in the answer, not a raise."""
    return read_rows(split_ndjson(data))


def read_rows(texts: Sequence[bytes]) -> Rows:
    """Check rows, each a JSON text. A bad row is an error in the answer, not a raise."""
    indexes: list[int] = []
    whole = Rows([], indexes, [])
    for part in read_in_chunks(texts):
        whole.lines.extend(part.lines)
        indexes.extend(part.indexes)
        whole.errors.extend(part.errors)
    return whole


def read_in_chunks(texts: Sequence[bytes]) -> Iterator[Rows]:
    """The same, some rows at a time and in order, for whom the lines are only to be seen once."""
    for start in range(0, len(texts), _ROWS_AT_A_TIME):
        part = texts[start : start + _ROWS_AT_A_TIME]
        lines = lines_if_all_valid(part)
        yield _read_each(part, start) if lines is None else Rows(lines, range(start, start + len(lines)), [])


def split_ndjson(data: bytes) -> list[bytes]:
    """The texts of the rows, without blank lines and a byte order mark. Raises TooLarge beyond MAX_ROWS."""
    texts = (text for line in BytesIO(data.removeprefix(BOM_UTF8)) if (text := line.strip()))
    rows = list(islice(texts, MAX_ROWS))
    check_row_count(len(rows) + sum(1 for _ in texts))
    return rows


def check_row_count(rows: int) -> None:
    if rows > MAX_ROWS:
        raise TooLarge("too many rows in one batch", limit=MAX_ROWS, actual=rows, unit="rows")


def _read_each(texts: Sequence[bytes], first: int) -> Rows:
    """Row by row: slower, and tells what is wrong with each."""
    lines: list[Line] = []
    indexes: list[int] = []
    errors: list[RowError] = []
    for index, text in enumerate(texts, first):
        outcome = _read_row(text, index)
        if isinstance(outcome, Line):
            lines.append(outcome)
            indexes.append(index)
        else:
            errors.extend(outcome)
    return Rows(lines, indexes, errors)


def _read_row(text: bytes, index: int) -> Line | list[RowError]:
    if len(text) > MAX_ROW_BYTES:
        return [RowError(index, None, f"is {len(text):,} bytes long, and the limit is {MAX_ROW_BYTES:,} bytes")]
    try:
        line = Line.model_validate_json(text)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        return list(_row_errors(details, index))
    return line if names_fields_once(text, name_ends(text), [line]) else _second_look(text, index, line)


def _second_look(text: bytes, index: int, line: Line) -> Line | list[RowError]:
    try:
        json.loads(text, object_pairs_hook=_refuse_repeats)
    except _RepeatedNameError as repeated:
        return [RowError(index, repeated.name, "is named twice")]
    return line


class _RepeatedNameError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _refuse_repeats(pairs: list[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise _RepeatedNameError(name)
        seen.add(name)


def _row_errors(details: Iterable[ErrorDetails], index: int) -> Iterator[RowError]:
    """At most MAX_ERRORS_PER_ROW, one for a field: a field of several types has an error for each of them."""
    named: set[str | None] = set()
    for detail in details:
        field = str(detail["loc"][0]) if detail["loc"] else None
        if field not in named and len(named) < MAX_ERRORS_PER_ROW:
            named.add(field)
            yield _row_error(detail["type"], field, index)


def _row_error(kind: str, field: str | None, index: int) -> RowError:
    match kind:
        case "missing":
            return RowError(index, field, "is missing")
        case "extra_forbidden":
            return RowError(index, _printable_name(field), "is no field of an invoice row; check its spelling")
        case "json_invalid":
            return RowError(index, None, "is not valid JSON (or not UTF-8)")
        case _ if field is None:
            return RowError(index, None, "must be a JSON object with the fields of an invoice row")
        case _:
            return RowError(index, field, RULES[field])


def _printable_name(name: str | None) -> str | None:
    """A name is the caller's text too: shown only if it looks like a column's."""
    looks_like_a_column = (
        name is not None and len(name) <= _LONGEST_NAME and name.isascii() and name.replace("_", "a").isalnum()
    )
    return name if looks_like_a_column else None
