"""Rows ready to be sent: what the API gets, beside what the file holds."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from client.canonical import CANONICAL
from client.table import Column

_Codes: TypeAlias = NDArray[np.int64]

_WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,8})")
_encode = json.JSONEncoder(ensure_ascii=False, separators=("\n", ":")).encode
_NONE_IF_EMPTY = ("Description", "CustomerID")
_SENT_ORDER = (
    "InvoiceNo",
    "InvoiceDate",
    "CustomerID",
    "Country",
    "StockCode",
    "Description",
    "Quantity",
    "UnitPrice",
)
"""What the rows of an invoice share comes first: longer repeats for gzip, which is smaller and faster so."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows in the file's order; all sequences have one entry for each.

    `sent` is the JSON text, `invoices` tells neighbours of one invoice, `originals` are the row's bytes in the file,
    `lines` the line it begins on, `fractions` how much of the file was read when it was.
    """

    sent: Sequence[bytes] = ()
    invoices: Sequence[bytes] = ()
    originals: Sequence[bytes] = ()
    lines: Sequence[int] = ()
    fractions: Sequence[float] = ()

    def __len__(self) -> int:
        return len(self.sent)

    def part(self, start: int, end: int) -> "Rows":
        return Rows(
            self.sent[start:end],
            self.invoices[start:end],
            self.originals[start:end],
            self.lines[start:end],
            self.fractions[start:end],
        )

    def followed_by(self, more: "Rows") -> "Rows":
        return Rows(
            [*self.sent, *more.sent],
            [*self.invoices, *more.invoices],
            [*self.originals, *more.originals],
            [*self.lines, *more.lines],
            [*self.fractions, *more.fractions],
        )


def canonical_columns(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Each distinct text in its normal form; texts that mean the same may stay apart here, and hash alike."""
    return {
        name: Column(column.codes, [CANONICAL[name](text) for text in column.values])
        for name, column in columns.items()
    }


def json_rows(columns: Mapping[str, Column], numbers: _Codes) -> tuple[list[bytes], list[bytes]]:
    """The rows as JSON texts, and the InvoiceNo part of each. Columns must be canonical."""
    fragments = [_fragments(name, columns[name]) for name in _SENT_ORDER]
    sent = list(map(b"".join, zip(*fragments, _occurrences(numbers), strict=True)))
    return sent, fragments[0]


def _fragments(name: str, column: Column) -> list[bytes]:
    """Encoded all at once with a line break between them, which no JSON text holds: faster than one by one."""
    opening = f'{"{" if name == _SENT_ORDER[0] else ","}"{name}":'
    texts = _encode([_sent_value(name, text) for text in column.values])[1:-1]
    return _by_code((opening + texts.replace("\n", "\n" + opening)).encode().split(b"\n"), column.codes)


def _sent_value(name: str, text: str) -> str | int | None:
    if name == "Quantity" and _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    return text or (None if name in _NONE_IF_EMPTY else text)


def _occurrences(numbers: _Codes) -> list[bytes]:
    values, codes = np.unique(numbers, return_inverse=True)
    return _by_code([b',"Occurrence":%d}' % number for number in values.tolist()], codes)


def _by_code(parts: Sequence[bytes], codes: _Codes) -> list[bytes]:
    chosen: list[bytes] = np.array(parts, object)[codes].tolist()
    return chosen
