"""Whole columns of a chunk, read by pandas: the distinct texts, and which row has which."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray


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
