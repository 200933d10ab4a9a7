"""Read the rows of a batch: a valid row becomes a line, and every other row gets errors that name its fields.

Rows are read 250 at a time. The fast path reads them in one call of compiled code, which cannot tell which row is
invalid, or why. Where it fails, the slow path reads each of these rows alone.

A JSON object may name a field twice, and a parser then keeps the last value silently. Here such a row is invalid. So is
a row with a number of which a parser keeps only some digits: `9007199254740993.0` as an id, `1e-400` as a price.
"""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from io import BytesIO
from itertools import islice
from operator import attrgetter
from typing import Annotated

from pydantic import FailFast, TypeAdapter, ValidationError

from invoices.errors import RowError, TooLarge
from invoices.fields import RULES, SeenFloats
from invoices.limits import MAX_ERRORS_PER_ROW, MAX_ROW_BYTES, MAX_ROWS
from invoices.line import Line

ERASED_ROW = b'{"Erased":true}'
"""What an erasure leaves in a row's place. It is no line, and it is not rejected: consumers pass over it."""

_CHUNK_ROWS = 250  # an invalid row slows down only its chunk, and a chunk's objects stay in the processor's caches


@dataclass(frozen=True, slots=True)
class Rows:
    """`indexes[i]` is the row that became `lines[i]`. Rows count from 0; blank lines do not count."""

    lines: list[Line]
    indexes: Sequence[int]
    errors: list[RowError]

    @property
    def rejected(self) -> int:
        """How many rows have errors; one row may have several."""
        return len({error.index for error in self.errors})

    @property
    def are_ordinary(self) -> bool:
        """No row says when it was stated, or takes a line back."""
        return not any(line.AsOf or line.Withdrawn for line in self.lines)


def read_ndjson(data: bytes) -> Rows:
    """Read NDJSON. Raises TooLarge beyond MAX_ROWS; invalid rows raise nothing, they are in the result's `errors`."""
    return read_rows(split_ndjson(data))


def read_rows(texts: Sequence[bytes]) -> Rows:
    """Read rows, each a JSON text. Invalid rows raise nothing, they are in the result's `errors`.

    ERASED_ROW is left out. A caller must not send it, so `read_in_chunks` rejects it like every invalid row.
    """
    chunks = list(read_in_chunks(texts))
    return Rows(
        lines=[line for chunk in chunks for line in chunk.lines],
        indexes=[index for chunk in chunks for index in chunk.indexes],
        errors=[error for chunk in chunks for error in chunk.errors if texts[error.index] != ERASED_ROW],
    )


def read_in_chunks(texts: Sequence[bytes]) -> Iterator[Rows]:
    """Like read_rows, but yields chunks in order, for callers that do not keep the lines."""
    for start in range(0, len(texts), _CHUNK_ROWS):
        chunk = texts[start : start + _CHUNK_ROWS]
        lines = lines_if_all_valid(chunk)
        yield _read_each(chunk, start) if lines is None else Rows(lines, range(start, start + len(lines)), [])


def reject_unnamed_statements(rows: Rows) -> Rows:
    """Reject rows with AsOf or Withdrawn that lack Occurrence.

    They are valid only in a record that takes a whole batch back. From anybody else such a row would be about no line.
    """
    if rows.are_ordinary:
        return rows
    named = [(line, index) for line, index in zip(rows.lines, rows.indexes, strict=True) if not line.is_about_own_batch]
    errors = [
        RowError(index, name, RULES[name])
        for line, index in zip(rows.lines, rows.indexes, strict=True)
        for name in ("AsOf", "Withdrawn")
        if line.is_about_own_batch and getattr(line, name)
    ]
    lines, indexes = [line for line, _ in named], [index for _, index in named]
    return Rows(lines, indexes, sorted([*rows.errors, *errors], key=attrgetter("index")))


class JsonPairs(list[tuple[str, object]]):
    """Names and values of a JSON object. It is a type of its own, so that no array is taken for one."""


def json_pairs(text: bytes, number: Callable[[str], object] | None = None) -> JsonPairs | None:
    """The pairs of a JSON object; None where the text is none. A name that occurs twice stays twice.

    Nested objects are JsonPairs as well. `number` makes a value of the text of a number or a constant.
    """
    try:
        parsed = json.loads(
            text, object_pairs_hook=JsonPairs, parse_int=number, parse_float=number, parse_constant=number
        )
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, JsonPairs) else None


def split_ndjson(data: bytes) -> list[bytes]:
    """The texts of the rows, without blank lines and a byte order mark. Raises TooLarge beyond MAX_ROWS."""
    texts = (text for line in BytesIO(data.removeprefix(BOM_UTF8)) if (text := line.strip()))
    rows = list(islice(texts, MAX_ROWS))
    check_row_count(len(rows) + sum(1 for _ in texts))
    return rows


def check_row_count(rows: int) -> None:
    """Raise TooLarge beyond MAX_ROWS."""
    if rows > MAX_ROWS:
        raise TooLarge("too many rows in one batch", limit=MAX_ROWS, actual=rows, unit="rows")


# The fast path.

_LINES: TypeAdapter[list[Line]] = TypeAdapter(Annotated[list[Line], FailFast()])
_MAX_NAMES_PER_ROW = 12  # a row has eleven fields; a quote and a colon in a description look like one more
_NAME_END = b'":'
_ESCAPED_NAME_END = b'\\":'  # inside a text; no field's name ends like this
_BLANKS_IN_A_LINE = b" \t\r"
_BLANKS = b" \t\r\n"


def lines_if_all_valid(texts: Sequence[bytes]) -> list[Line] | None:
    """The lines of rows' JSON texts, or None where any of the rows needs the slow path.

    The texts are joined to one JSON array, with a line break behind each comma. A JSON string cannot hold that break,
    so no string spans two texts. Each text begins with `{` and ends with `}`, so no object spans two texts either:
    as many lines as texts then mean that each text is one object.
    """
    array = b"[%b]" % b",\n".join(texts)
    name_ends = array.count(_NAME_END)
    if name_ends > len(texts) * _MAX_NAMES_PER_ROW or not _look_like_rows(array, texts):
        return None
    floats = SeenFloats()
    try:
        lines = _LINES.validate_json(array, context=floats)
    except ValidationError:
        return None
    if floats.is_any and _has_long_number(array):
        return None
    is_valid = len(lines) == len(texts) and _has_unique_names(array, name_ends, lines, _BLANKS_IN_A_LINE)
    return lines if is_valid else None


def _look_like_rows(array: bytes, texts: Sequence[bytes]) -> bool:
    """Checked before parsing: a parser first builds every name and value, 100 bytes for each byte of a hostile text."""
    return (
        array.count(b"\n") == len(texts) - 1
        and array.find(b"[", 1) < 0
        and {text[:1] for text in texts} == {b"{"}
        and {text[-1:] for text in texts} == {b"}"}
        and max(map(len, texts)) <= MAX_ROW_BYTES
    )


_DIGITS = bytes.maketrans(b"123456789.Ee+-", b"0000000000ee00")
_LONG_NUMBER = b"0" * 17  # a float keeps every number of 15 digits; a point and a sign count here, too
_EXPONENT = b"0e0"


def _has_long_number(text: bytes) -> bool:
    """Whether the text may hold a number of which a float keeps only a part. True may also mean a date or a code."""
    digits = text.translate(_DIGITS)
    return _LONG_NUMBER in digits or _EXPONENT in digits


def _has_unique_names(text: bytes, name_ends: int, lines: Iterable[Line], blanks: bytes) -> bool:
    """Whether the JSON text names each field of `lines`, which were read from it, once.

    Every name adds to `name_ends`, the count of `":`, unless one of `blanks` stands before its colon. True is always
    right. False may also mean a description that holds such characters: then the row must be parsed again.
    """
    names = name_ends - (text.count(_ESCAPED_NAME_END) if b"\\" in text else 0)
    has_spaced_colon = any(blank in text and b"%c:" % blank in text for blank in blanks)
    return names == sum(len(line.model_fields_set) for line in lines) and not has_spaced_colon


# The slow path.


def _read_each(texts: Sequence[bytes], first: int) -> Rows:
    """Read row by row and collect the errors of each. `first` is the index of the first text."""
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
    if _is_nested(text):
        return [RowError(index, None, _NOT_A_ROW)]
    floats = SeenFloats()
    try:
        line = Line.model_validate_json(text, context=floats)
    except ValidationError as error:
        return list(_row_errors(error, index))
    if floats.is_any and (field := _shortened_number(text)):
        return [RowError(index, field, "is a number that a JSON parser does not keep exactly; send it as text")]
    if not _has_unique_names(text, text.count(_NAME_END), [line], _BLANKS) and (name := _duplicate_name(text)):
        return [RowError(index, name, "is named twice")]
    return line


_NOT_A_ROW = "must be a JSON object with the fields of an invoice row"
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)  # also one that does not end
_MAX_BRACKETS = 10  # the row's own, and one for each field, so that an error still names the field


def _is_nested(text: bytes) -> bool:
    """Whether many values are arrays or objects. Checked first: a parser takes ten times as long for brackets."""
    if text.count(b"[") + text.count(b"{") <= _MAX_BRACKETS:
        return False
    structure = _STRING.sub(b"", text)
    return structure.count(b"[") + structure.count(b"{") > _MAX_BRACKETS


def _duplicate_name(text: bytes) -> str | None:
    """The first name that a JSON object repeats."""
    names: list[str] = json.loads(text, object_pairs_hook=lambda pairs: [name for name, _ in pairs])
    return next((name for place, name in enumerate(names) if name in names[:place]), None)


def _shortened_number(text: bytes) -> str | None:
    """The first field with a number that a float does not hold exactly."""
    fields: list[tuple[str, object]] = json.loads(text, parse_float=_ShortenedNumber.if_it_is, object_pairs_hook=list)
    return next((name for name, value in fields if isinstance(value, _ShortenedNumber)), None)


class _ShortenedNumber:
    """Stands for a number that a float does not hold exactly."""

    @classmethod
    def if_it_is(cls, number: str) -> "_ShortenedNumber | None":
        try:
            return None if Decimal(number) == Decimal(repr(float(number))) else cls()
        except InvalidOperation:  # an exponent far beyond that of any float
            return cls()


def _row_errors(error: ValidationError, index: int) -> Iterator[RowError]:
    """One error for each field, at most MAX_ERRORS_PER_ROW: pydantic has one for each type that a field may have."""
    named: set[str | None] = set()
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        field = str(detail["loc"][0]) if detail["loc"] else None
        if field not in named and len(named) < MAX_ERRORS_PER_ROW:
            named.add(field)
            yield _row_error(detail["type"], field, index)


def _row_error(kind: str, field: str | None, index: int) -> RowError:
    match kind:
        case "missing":
            return RowError(index, field, "is missing")
        case "extra_forbidden":
            return _unknown_field_error(str(field), index)
        case "json_invalid":
            return RowError(index, None, "is not valid JSON (or not UTF-8)")
        case _ if field is None:
            return RowError(index, None, _NOT_A_ROW)
        case _:
            return RowError(index, field, RULES[field])


_LONGEST_NAME = 20
_NO_SEPARATORS = str.maketrans("", "", " _-")  # `customer_id` and `Unit Price` are close to fields


def _unknown_field_error(name: str, index: int) -> RowError:
    if close := close_name(name, RULES):
        return RowError(index, name, f"is not a known field (did you mean {close}?)")
    return RowError(index, None, "has a field that the API does not know")


def close_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that this one is close to. Without one, the name is content of the caller and is never shown."""
    from difflib import get_close_matches  # noqa: PLC0415 - most functions start without ever needing it

    plain = _fold(name)
    is_word = len(name) <= _LONGEST_NAME and plain.isascii() and plain.isalnum()
    by_folded = {_fold(each): each for each in known}
    close = get_close_matches(plain, by_folded, n=1, cutoff=0.8) if is_word else []
    return by_folded[close[0]] if close else None


def _fold(name: str) -> str:
    return name.translate(_NO_SEPARATORS).lower()
