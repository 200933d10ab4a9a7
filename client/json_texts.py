"""The rows' JSON, made of fragments: every distinct value of a column is encoded once."""

import json
import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from client.canonical import CANONICAL
from client.table import Column

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
