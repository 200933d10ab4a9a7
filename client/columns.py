"""The header: which columns a file has, and whether they are the ones of an invoice row."""

from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches

from client.failures import BadInput
from client.records import read_fields

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
_LONGEST_NAME = 40


def read_header(line: bytes) -> tuple[str, ...]:
    """The columns in the file's own order. Raises BadInput that names every missing, unknown and repeated one."""
    names = tuple(read_fields(line) or ())
    if not set(names) & set(COLUMNS):
        raise BadInput(_no_header(line))
    if faults := [*_missing(names), *_unknown(names), *_repeated(names)]:
        raise BadInput(f"The columns do not fit: {'; '.join(faults)}. Needed are, in any order: {', '.join(COLUMNS)}.")
    return names


def _no_header(line: bytes) -> str:
    """The line itself is not shown: without a header it is a row."""
    if b"InvoiceNo" in line and b"\r" in line:
        return "The lines end with a carriage return alone; line feeds are needed."
    for separator, name in ((b";", "semicolons"), (b"\t", "tabs")):
        if b"InvoiceNo" in line and separator in line:
            return f"The columns are separated by {name}; commas are needed."
    return f"The first line names none of the columns. Needed are, in any order: {', '.join(COLUMNS)}."


def _missing(names: Sequence[str]) -> list[str]:
    return [f"{column} is missing" for column in COLUMNS if column not in names]


def _unknown(names: Sequence[str]) -> list[str]:
    return [_about(place, name, names) for place, name in enumerate(names, 1) if name not in COLUMNS]


def _about(place: int, name: str, names: Sequence[str]) -> str:
    close = get_close_matches(name, COLUMNS, n=1)
    hint = f" (meant as {close[0]}?)" if close else ""
    is_name = bool(close) or len(_missing(names)) <= len(COLUMNS) // 2  # else this may be a row's value
    return f"{_shown(place, name) if is_name else f'column {place}'} is unknown{hint}"


def _shown(place: int, name: str) -> str:
    is_plain = 0 < len(name) <= _LONGEST_NAME and name.isprintable()
    return f"{name!r}" if is_plain else f"column {place}"


def _repeated(names: Sequence[str]) -> list[str]:
    return [f"{name} is there {count} times" for name, count in Counter(names).items() if count > 1 and name in COLUMNS]
