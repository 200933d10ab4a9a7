"""The rows' JSON, made of fragments: every distinct value of a column is encoded once."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from io import BytesIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Whole columns of a chunk, read by pandas: the distinct texts, and which row has which.


@dataclass(frozen=True, slots=True)
class Column:
    """`values[codes[i]]` is the text of row i, exactly as the file has it; an empty field is empty text.

    A text may be there under several codes.
    """

    codes: NDArray[np.int64]
    values: list[str]


def read_columns(rows: Iterable[bytes | memoryview], names: Sequence[str]) -> Mapping[str, Column]:
    """Parse rows that all have len(names) fields, in pieces that hold whole rows with their line ends.

    The header goes before them, because pandas takes a byte order mark off the first line that it sees.
    """
    data = b"".join((",".join(names).encode() + b"\n", *rows))
    frame = pd.read_csv(
        BytesIO(data),
        dtype=object,  # the texts as they are; "category" would make numbers of `00123`
        keep_default_na=False,
        na_filter=False,
        index_col=False,
        skip_blank_lines=False,
        low_memory=False,
        encoding="utf-8",
    )
    return {name: _column(frame[name].to_numpy()) for name in names}


def _column(texts: NDArray[np.object_]) -> Column:
    """pandas makes one object of all equal texts, so their addresses tell them apart, four times as fast as hashes do.

    Were there two objects of one text, it would be two values, which do no harm.
    """
    codes, addresses = pd.factorize(np.frombuffer(texts, np.intp))
    return Column(codes, texts[any_row_of_each(codes, len(addresses))].tolist())


def distinct(column: Column) -> Column:
    """The same texts, each under one code only."""
    codes, values = pd.factorize(np.array(column.values, object))
    return Column(codes[column.codes], values.tolist())


def any_row_of_each(codes: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """A row for each of the codes below `count`, all of which occur."""
    rows = np.empty(count, np.int64)
    rows[codes] = np.arange(len(codes))
    return rows


# The one form that equal values are sent in: the API's own, so that a row is the same row however it was written.

_FLOAT_ID = re.compile(r"[0-9]{1,38}\.0")
_QUANTITY = re.compile(r"(-?[0-9]{1,9})(?:\.0{1,6})?")
_PRICE = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,6})?")
_US_DATE = re.compile(r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}(?::\d{2})?", re.ASCII)
_HOUR, _SIXTY = r"(?:[01]\d|2[0-3])", r"[0-5]\d"
_ISO_DATE = re.compile(
    rf"\d{{4}}-\d{{2}}-\d{{2}}[T ]{_HOUR}:{_SIXTY}(:{_SIXTY}(\.\d{{1,6}})?)?(Z|[+-]{_HOUR}:?{_SIXTY})?", re.ASCII
)

_DAYS, _MINUTES = 1024, 1440  # kept: a file's dates share few of them


def canonical_id(text: str) -> str:
    """`17850.0`, which pandas makes of an id beside gaps, is the id `17850`."""
    return text[:-2] if text.endswith(".0") and _FLOAT_ID.fullmatch(text) else text


def canonical_quantity(text: str) -> str:
    return str(int(match[1])) if (match := _QUANTITY.fullmatch(text)) else text


def canonical_price(text: str) -> str:
    """Plain digits without zeros that say nothing: `2.50` is `2.5`, `-0.00` is `0`."""
    if not _PRICE.fullmatch(text):
        return text
    price = Decimal(text).normalize()
    return format(price, "f") if price else "0"


def canonical_date(text: str) -> str:
    """ISO 8601 without an offset as it stands; with one, in UTC with a `Z`."""
    try:
        return _iso(text)
    except (ValueError, OverflowError):
        return text


def _iso(text: str) -> str:
    if _US_DATE.fullmatch(text):
        day, _, clock = text.partition(" ")
        return f"{_us_day(day)}T{_us_clock(clock)}"
    if not _ISO_DATE.fullmatch(text):
        return text
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        return instant.isoformat()
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


@lru_cache(_DAYS)
def _us_day(text: str) -> str:
    month, day, year = map(int, text.split("/"))
    return date(year, month, day).isoformat()


@lru_cache(_MINUTES)
def _us_clock(text: str) -> str:
    hour, minute, second, *_ = map(int, f"{text}:0".split(":"))
    return time(hour, minute, second).isoformat()


def as_it_is(text: str) -> str:
    return text


CANONICAL: Mapping[str, Callable[[str], str]] = {
    "InvoiceNo": canonical_id,
    "StockCode": as_it_is,
    "Description": as_it_is,
    "Quantity": canonical_quantity,
    "InvoiceDate": canonical_date,
    "UnitPrice": canonical_price,
    "CustomerID": canonical_id,
    "Country": as_it_is,
}


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


def canonical_columns(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Each distinct text in its normal form; texts that mean the same may stay apart here, and hash alike."""
    return {name: Column(column.codes, list(map(CANONICAL[name], column.values))) for name, column in columns.items()}


def json_texts(columns: Mapping[str, Column], numbers: NDArray[np.int64]) -> list[bytes]:
    """Nine neighbouring fragments for each row: joined, a line break and its JSON. Columns must be canonical."""
    fragments = np.empty((len(numbers), len(_SENT_ORDER) + 1), object)
    for place, name in enumerate(_SENT_ORDER):
        fragments[:, place] = _chosen(_fragments(name, columns[name].values), columns[name].codes)
    fragments[:, -1] = _occurrences(numbers)
    texts: list[bytes] = fragments.ravel().tolist()
    return texts


def _fragments(name: str, values: Sequence[str]) -> list[bytes]:
    """Encoded all at once with a line break between them, which no JSON text holds: faster than one by one."""
    opening = b',"%b":' % name.encode() if name != _SENT_ORDER[0] else b'\n{"%b":' % name.encode()
    texts = _encode(_sent_values(name, values))[1:-1].encode()
    return [opening + text for text in texts.split(b"\n")]


def _sent_values(name: str, texts: Sequence[str]) -> Sequence[str | int | None]:
    if name == "Quantity":
        return [int(text) if _WHOLE_NUMBER.fullmatch(text) else text for text in texts]
    return [text or None for text in texts] if name in _NONE_IF_EMPTY else texts


def _occurrences(numbers: NDArray[np.int64]) -> NDArray[np.object_]:
    codes, values = pd.factorize(numbers)
    return _chosen([b',"Occurrence":%d}' % number for number in values.tolist()], codes)


def _chosen(parts: Sequence[bytes], codes: NDArray[np.int64]) -> NDArray[np.object_]:
    return np.array(parts, object)[codes]
