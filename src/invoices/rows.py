"""From a batch's bytes to lines and to the errors of the rows that are none."""

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
from invoices.field_rules import RULES
from invoices.limits import MAX_ERRORS_PER_ROW, MAX_ROW_BYTES, MAX_ROWS
from invoices.line import Line

_LINES: TypeAdapter[list[Line]] = TypeAdapter(Annotated[list[Line], FailFast()])
_LONGEST_NAME = 40
_NAME_END = b'":'
_MOST_NAME_ENDS_PER_ROW = 10  # a row has nine fields; a quote and a colon in a description look like one more
_SPACES = (b" ", b"\t", b"\n", b"\r")


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
    return rows_if_all_valid(data) or read_each(ndjson_rows(data))


def ndjson_rows(data: bytes) -> list[bytes]:
    """The texts of the rows, without blank lines and a byte order mark. Raises TooLarge beyond MAX_ROWS."""
    texts = (text for line in BytesIO(data.removeprefix(BOM_UTF8)) if (text := line.strip()))
    rows = list(islice(texts, MAX_ROWS))
    check_row_count(len(rows) + sum(1 for _ in texts))
    return rows


def check_row_count(rows: int) -> None:
    if rows > MAX_ROWS:
        raise TooLarge("too many rows in one batch", limit=MAX_ROWS, actual=rows, unit="rows")


def rows_if_all_valid(data: bytes) -> Rows | None:
    """All rows in one pass of compiled code, or None where any of them needs a closer look.

    The rows are joined to one JSON array by putting a comma before each line break. The break itself stays, so a
    string that spans two rows is still refused; and as every break must stand between `}` and `{`, equal counts of
    breaks and lines mean that each row was one object of its own.
    """
    text = data[:-1] if data.endswith(b"\n") else data
    breaks = text.count(b"\n")
    if not (text.startswith(b"{") and text.endswith(b"}") and text.count(b"}\n{") == breaks < MAX_ROWS):
        return None
    lines = lines_if_all_valid(b"[" + text.replace(b"\n", b",\n") + b"]", breaks + 1)
    return Rows(lines, range(len(lines)), []) if lines and len(lines) == breaks + 1 else None


def lines_if_all_valid(array: bytes, most_rows: int = MAX_ROWS) -> list[Line] | None:
    """The lines of a JSON array, or None where a row is invalid, names a field twice, or cannot be told quickly."""
    name_ends = array.count(_NAME_END)
    if name_ends > most_rows * _MOST_NAME_ENDS_PER_ROW or array.find(b"[", 1) > 0 or _has_spaced_colon(array):
        return None  # a parser would first build all names and values, 100 bytes for each byte of a bomb
    try:
        lines = _LINES.validate_json(array)
    except ValidationError:
        return None
    return lines if name_ends - _quotes_before_colons(array) == _named_fields(lines) else None


def _each_field_once(text: bytes, line: Line) -> bool:
    """JSON keeps the last of two equal names in silence; we refuse the row. Sound, but says no too often.

    In valid JSON without blanks before colons `":` ends a name, or is an escaped quote and a colon inside a value.
    """
    names = text.count(_NAME_END) - _quotes_before_colons(text)
    return names == _named_fields([line]) and not _has_spaced_colon(text)


def _quotes_before_colons(text: bytes) -> int:
    return text.count(b'\\":') if b"\\" in text else 0


def _named_fields(lines: Iterable[Line]) -> int:
    return sum(len(line.model_fields_set) for line in lines)


def _has_spaced_colon(text: bytes) -> bool:
    return any(space in text and space + b":" in text for space in _SPACES)


def read_each(texts: Sequence[bytes]) -> Rows:
    """Check row by row: slower, and tells what is wrong with each."""
    lines: list[Line] = []
    indexes: list[int] = []
    errors: list[RowError] = []
    for index, text in enumerate(texts):
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
    return line if _each_field_once(text, line) else _second_look(text, index, line)


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
