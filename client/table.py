"""Whole columns of a chunk, read by pandas: every distinct text once, and which row has which."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Column:
    """`values[codes[i]]` is the text of row i, exactly as the file has it; an empty field is empty text."""

    codes: NDArray[np.int64]
    values: list[str]


def read_columns(texts: Iterable[bytes], names: Sequence[str]) -> Mapping[str, Column]:
    """Parse rows that all have len(names) fields.

    The header goes before them, because pandas takes a byte order mark off the first line that it sees.
    """
    data = b"\n".join((",".join(names).encode(), *texts, b""))
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
    codes, values = pd.factorize(texts)
    return Column(codes, values.tolist())
