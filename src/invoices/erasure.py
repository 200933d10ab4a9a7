"""Rows of erased customers: how they leave a record, a slice and a month of the lake.

A row is removed, or it is kept as a line without a customer. Both depend on the row and its batch alone, so a record
that is delivered again after the erasure becomes the same bytes as the object of the archive that was rewritten.

- A removed row leaves ERASED_ROW in its place. So the other rows of its record keep their positions, by which dead
  letters name them.
- A kept line gets a new Occurrence, computed from its old line id with the secret key of the erasures. So it stays one
  line however often it was sent, and it never merges with an equal line that never had a customer.
"""

import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from invoices.batch import pack, unpack
from invoices.errors import Rejected
from invoices.limits import MAX_BODY_BYTES
from invoices.line import Line, line_id, numbers_in_batch
from invoices.rows import ERASED_ROW, json_pairs, read_rows, split_ndjson

_MOST_BYTES = 32 * 1024 * 1024  # to search them takes some 6 s at 512 MB of memory; the loop reserves 10 for a record
_SEARCHED_AT_ONCE = 1024 * 1024
_PIECE_BYTES = 1024  # so much of a gzip member that is broken further on is not inflated
_GZIP_FORMAT = zlib.MAX_WBITS | 16
_NO_WORD = re.compile(rb"[^A-Za-z0-9_-]")
_ONLY_WORDS = _NO_WORD.sub(b" ", bytes(range(256)))  # for bytes.translate
_OTHER_FIELDS = Line.model_fields.keys() - {"CustomerID"}


class ErasedCustomers(Protocol):
    """Whose rows are erased."""

    def keeps_lines(self, customer_id: str) -> bool | None:
        """Whether the customer's lines are kept without the customer; None for a customer who is not erased."""

    def occurrence(self, line_id: str) -> int:
        """The new Occurrence of a line that is kept."""


def erase_rows(data: bytes, batch_id: str, customers: ErasedCustomers) -> tuple[bytes, int]:
    """The record without the customers, and how many rows changed. `data` itself where none did.

    A record that is not gzip, or beyond the limits of a batch, is not divided into rows: no row of it is ever stored.
    It becomes one erased row if a word of it names a customer. Of an inflated record the first 32 MB are searched.
    """
    try:
        texts = split_ndjson(unpack(data, MAX_BODY_BYTES))
    except Rejected:
        is_named = _are_named(_words_of_any_text(_readable(data)), customers)
        return (pack(ERASED_ROW), 1) if is_named else (data, 0)
    changed = _changed_rows(texts, batch_id, customers)
    if not changed:
        return data, 0
    return pack(b"\n".join(changed.get(index, text) for index, text in enumerate(texts))), len(changed)


def is_all_erased(data: bytes) -> bool:
    """Whether nothing but erased rows is left of a record."""
    return set(split_ndjson(unpack(data, MAX_BODY_BYTES))) == {ERASED_ROW}


class NumberedText(NamedTuple):
    """A valid row as JSON text, and its `number` in the sense of `line_id`."""

    text: bytes
    number: int


def erase_row(row: NumberedText, batch_id: str, customers: ErasedCustomers) -> NumberedText | None:
    """The row itself, the row without its customer, or None where it is removed. `batch_id` is that of its batch."""
    for line in read_rows([row.text]).lines:
        name = line_id(line, batch_id, row.number)
        erased = erase_line(line, name, customers)
        if erased is not line:
            return NumberedText(_kept_row(row.text, customers.occurrence(name)), 0) if erased else None
    return row


def erase_line(line: Line, name: str, customers: ErasedCustomers) -> Line | None:
    """The line itself, the line without its customer, or None where it is removed. `name` is its line id."""
    keeps_lines = customers.keeps_lines(line.CustomerID) if line.CustomerID else None
    if keeps_lines is None:
        return line
    if not keeps_lines:
        return None
    return line.model_copy(update={"CustomerID": None, "Occurrence": customers.occurrence(name)})


def is_of_customer(text: bytes, customers: ErasedCustomers) -> bool:
    """Whether a row is of an erased customer. One that an older rule rejected may be a valid line today."""
    for line in read_rows([text]).lines:
        return line.CustomerID is not None and customers.keeps_lines(line.CustomerID) is not None
    return names_customer(text, customers)


def names_customer(text: bytes, customers: ErasedCustomers) -> bool:
    """Whether a row that is no valid line names an erased customer.

    In a JSON object, in CustomerID or in a field that no line has. In any other text, as any word of it.
    """
    return _are_named(_suspect_words(text), customers)


def _are_named(words: Iterable[str], customers: ErasedCustomers) -> bool:
    return any(customers.keeps_lines(word) is not None for word in words)


def _changed_rows(texts: Sequence[bytes], batch_id: str, customers: ErasedCustomers) -> Mapping[int, bytes]:
    rows = read_rows(texts)
    invalid = {error.index for error in rows.errors}
    changed = {index: ERASED_ROW for index in invalid if names_customer(texts[index], customers)}
    for line, index, number in zip(rows.lines, rows.indexes, numbers_in_batch(rows.lines), strict=True):
        keeps_lines = customers.keeps_lines(line.CustomerID) if line.CustomerID else None
        if keeps_lines:
            changed[index] = _kept_row(texts[index], customers.occurrence(line_id(line, batch_id, number)))
        elif keeps_lines is not None:
            changed[index] = ERASED_ROW
    return changed


def _kept_row(text: bytes, occurrence: int) -> bytes:
    """The valid row without its customer; every other field keeps its value."""
    fields = {name: value for name, value in json.loads(text).items() if name != "CustomerID"}
    kept = {**fields, "Occurrence": occurrence}
    # Escapes would make it longer, and a batch beyond the limit of its size could not be read again.
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False).encode()


def _suspect_words(text: bytes) -> Iterator[str]:
    row = json_pairs(text)
    if row is None:
        yield from _words_of_any_text(text)
        return
    values: list[object] = [pair for pair in row if pair[0] not in _OTHER_FIELDS]
    while values:
        value = values.pop()
        if isinstance(value, list | tuple):
            values.extend(value)
        else:
            yield from _words(str(value).encode(errors="replace"))  # JSON may hold half of a surrogate pair


def _words_of_any_text(text: bytes) -> Iterator[str]:
    """Also of UTF-16, as Windows writes it: its letters and digits have a NUL between them."""
    yield from _words(text)
    if b"\0" in text:
        yield from _words(text.replace(b"\0", b""))


def _words(text: bytes) -> Iterator[str]:
    """Each word; one that is repeated near by comes once, because to look one up takes longer than to find it."""
    start = 0
    while start < len(text):
        after = _NO_WORD.search(text, start + _SEARCHED_AT_ONCE)
        end = after.start() if after else len(text)
        for run in set(text[start:end].translate(_ONLY_WORDS).split()):
            yield run.lstrip(b"_-").decode()  # no id begins with these
        start = end


def _readable(data: bytes) -> bytes:
    """What can be inflated of the gzip members, up to some 32 MB, and then the bytes that are not gzip."""
    parts: list[bytes] = []
    size = 0
    inflater = zlib.decompressobj(_GZIP_FORMAT)
    is_first = True  # of its member
    for start in range(0, len(data), _PIECE_BYTES):
        piece = data[start : start + _PIECE_BYTES]
        while piece and size < _MOST_BYTES:
            try:
                parts.append(inflater.decompress(piece))
            except zlib.error:
                return b"".join([*parts, piece, data[start + _PIECE_BYTES :]] if is_first else parts)
            size += len(parts[-1])
            piece, is_first = inflater.unused_data, inflater.eof
            if is_first:
                inflater = zlib.decompressobj(_GZIP_FORMAT)
    return b"".join(parts)
