"""The columns of the rows: read by pandas, brought to their normal form, and written as JSON.

Rows share most of their values. So each step handles the distinct values of a column, and numpy copies the results to
the rows.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from io import BytesIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from client.dates import DateOrder, normal_date

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
"""The columns of a file. Its header may name them in any order."""

_SAME_IN_AN_INVOICE = ("InvoiceNo", "InvoiceDate", "CustomerID", "Country")
_SENT_ORDER = (*_SAME_IN_AN_INVOICE, *(name for name in COLUMNS if name not in _SAME_IN_AN_INVOICE))
"""What the rows of an invoice share comes first, because gzip is faster and smaller with longer repeats."""

_NONE_IF_EMPTY = ("Description", "CustomerID")

_FLOAT_ID = re.compile(r"[0-9]{1,38}\.0")
_QUANTITY = re.compile(r"(-?[0-9]{1,9})(?:\.0{1,6})?")
_WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,8})")
_PRICE = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,6})?")

_encode = json.JSONEncoder(ensure_ascii=False, separators=("\n", ":")).encode


@dataclass(frozen=True, slots=True)
class Column:
    """`values[codes[i]]` is the text of row i; empty text is an empty field. A text may have several codes."""

    codes: NDArray[np.int64]
    values: list[str]


def read_columns(
    rows: Iterable[bytes | memoryview], names: Sequence[str], separator: bytes = b","
) -> Mapping[str, Column]:
    """Parse rows of len(names) fields, in pieces of whole rows with their line ends. Each text stays as it is.

    A header goes before them, because pandas takes a byte order mark off the first line that it sees.
    """
    data = b"".join((separator.join(b"%d" % place for place in range(len(names))) + b"\n", *rows))
    frame = pd.read_csv(
        BytesIO(data),
        sep=separator.decode(),
        dtype=object,  # "category" would read `00123` as a number
        keep_default_na=False,
        na_filter=False,
        index_col=False,
        skip_blank_lines=False,
        low_memory=False,
        encoding="utf-8",
    )
    return {name: _column(frame[str(place)].to_numpy()) for place, name in enumerate(names)}


def _column(texts: NDArray[np.object_]) -> Column:
    """The client's goal of 4 times the idiomatic client's speed needs this: to compare the addresses of pandas' objects
    instead of their texts saves 10 % of all time. pandas makes one object of all equal texts; if it made two, they
    would be two values, which is allowed.
    """
    codes, addresses = pd.factorize(np.frombuffer(texts, np.intp))
    return Column(codes, texts[any_row_of_each(codes, len(addresses))].tolist())


def any_row_of_each(codes: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """A row for each of the codes below `count`, all of which must occur."""
    rows = np.empty(count, np.int64)
    rows[codes] = np.arange(len(codes))
    return rows


def distinct(column: Column) -> Column:
    """The same texts, but each has one code only."""
    codes, values = pd.factorize(np.array(column.values, object))
    return Column(codes[column.codes], values.tolist())


def normal_columns(columns: Mapping[str, Column], dates: DateOrder = "mdy") -> dict[str, Column]:
    """Each text in the API's normal form, so that equal values have equal texts."""
    forms: Mapping[str, Callable[[str], str]] = {
        **NORMAL_FORMS,
        "InvoiceDate": partial(normal_date, order=dates),
    }
    return {
        name: Column(column.codes, list(map(forms[name], column.values))) if name in forms else column
        for name, column in columns.items()
    }


def json_texts(columns: Mapping[str, Column], numbers: NDArray[np.int64]) -> list[bytes]:
    """Nine fragments for each row, in order: joined, they are a line break and the row's JSON.

    The columns must be in normal form; `numbers` are the rows' `Occurrence`.
    """
    fragments = np.empty((len(numbers), len(_SENT_ORDER) + 1), object)
    for place, name in enumerate(_SENT_ORDER):
        fragments[:, place] = np.array(_fragments(name, columns[name].values), object)[columns[name].codes]
    codes, values = pd.factorize(numbers)
    fragments[:, -1] = np.array([b',"Occurrence":%d}' % number for number in values.tolist()], object)[codes]
    texts: list[bytes] = fragments.ravel().tolist()
    return texts


def _fragments(name: str, texts: Sequence[str]) -> list[bytes]:
    """All values are encoded in one call, with line breaks between them, which a JSON text never holds."""
    opening = b'\n{"%b":' if name == _SENT_ORDER[0] else b',"%b":'
    values: Sequence[str | int | None] = texts
    if name == "Quantity":
        values = [int(text) if _WHOLE_NUMBER.fullmatch(text) else text for text in texts]
    elif name in _NONE_IF_EMPTY:
        values = [text or None for text in texts]
    prefix = opening % name.encode()
    return [prefix + text for text in _encode(values)[1:-1].encode().split(b"\n")]


def normal_id(text: str) -> str:
    """`17850.0`, which pandas makes of an id in a column with gaps, is the id `17850`."""
    return text[:-2] if _FLOAT_ID.fullmatch(text) else text


def normal_quantity(text: str) -> str:
    return str(int(match[1])) if (match := _QUANTITY.fullmatch(text)) else text


def normal_price(text: str) -> str:
    """Digits without trailing zeros: `2.50` is `2.5`, `-0.00` is `0`."""
    if not _PRICE.fullmatch(text):
        return text
    price = Decimal(text).normalize()
    return format(price, "f") if price else "0"


NORMAL_FORMS: Mapping[str, Callable[[str], str]] = {
    "InvoiceNo": normal_id,
    "CustomerID": normal_id,
    "Quantity": normal_quantity,
    "UnitPrice": normal_price,
    "InvoiceDate": normal_date,
}
"""The texts of the other columns have one form only."""
