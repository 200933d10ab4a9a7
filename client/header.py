"""The header: what separates a file's columns, and which of them is which of ours.

A name may be written in any case and with blanks, `_` or `-`. The names of Online Retail II, the larger data set of the
same shop, are known, too.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain

from client.columns import COLUMNS
from client.errors import BadInput
from client.records import MAX_LINE_BYTES, read_fields
from client.rejects import ADDED_COLUMNS

_LONGEST_NAME = 40
_SEPARATORS = (b",", b";", b"\t")
_SEPARATOR_LINE = re.compile(rb'"?sep=([;,\t])"?', re.IGNORECASE)  # Excel writes and reads such a line
_COLUMNS_NEEDED = f"These columns are needed, in any order: {', '.join(COLUMNS)}."
_HELP = " --columns THEIRS=OURS says which column is which, and --ignore-unknown leaves unknown columns out."
_ALIASES = {"invoice": "InvoiceNo", "price": "UnitPrice"}
_LINE_MARGIN = b" \r\n"  # not a tab, which may separate columns


@dataclass(frozen=True, slots=True)
class HeaderSettings:
    """What the command line says. `renamed` has our name for each of theirs."""

    renamed: Mapping[str, str] = field(default_factory=dict)
    ignore_unknown: bool = False


NO_SETTINGS = HeaderSettings()


@dataclass(frozen=True, slots=True)
class Header:
    """`columns` are in the file's order. A column that is sent has our name, another its own. `notes` are for users."""

    columns: tuple[str, ...] = ()
    separator: bytes = b","
    notes: tuple[str, ...] = ()


def parse_renames(texts: Sequence[str]) -> dict[str, str]:
    """`THEIRS=OURS` texts of the command line. Raises BadInput."""
    renames: dict[str, str] = {}
    for text in texts:
        theirs, equals, ours = text.rpartition("=")
        name = _OURS.get(_fold(ours))
        if not equals or not theirs.strip() or name is None:
            raise BadInput(f"--columns needs THEIRS=OURS, and OURS is one of {', '.join(COLUMNS)}.")
        renames[_fold(theirs)] = name
    return renames


def split_header(blocks: Iterator[bytes], settings: HeaderSettings) -> tuple[Header, bytes, int]:
    """The header, the rest of its block, and the number of the line after it. An empty file has no columns.

    Raises BadInput where the header is wrong.
    """
    line, rest, number = _first_line(blocks, b"", 1)
    separator = None
    if match := _SEPARATOR_LINE.fullmatch(line):
        separator = match[1]
        line, rest, number = _first_line(blocks, rest, number)
    return read_header(line, settings, separator) if line else Header(), rest, number


def read_header(line: bytes, settings: HeaderSettings = NO_SETTINGS, separator: bytes | None = None) -> Header:
    """Raises BadInput, which names every column that is missing, unknown or repeated."""
    separator = separator or max(_SEPARATORS, key=lambda each: len(_find_columns(_names(line, each), settings.renamed)))
    names = _names(line, separator)
    found = _find_columns(names, settings.renamed)
    if not found:
        raise BadInput(_no_header(line))
    is_rejects = set(ADDED_COLUMNS) <= set(names)
    others = [place for place in range(len(names)) if place not in found]
    unknown = [place for place in others if not (is_rejects and names[place] in ADDED_COLUMNS)]
    refused = [] if settings.ignore_unknown or is_rejects else unknown
    if mistakes := [*_missing_and_repeated(found.values()), *_unknown(names, refused, len(found))]:
        raise BadInput(f"The header is wrong: {'; '.join(mistakes)}. {_COLUMNS_NEEDED}{_HELP if refused else ''}")
    columns = tuple(found.get(place) or _own_name(name, is_rejects=is_rejects) for place, name in enumerate(names))
    return Header(columns, separator, tuple(_notes(names, found, unknown)))


def _own_name(name: str, *, is_rejects: bool) -> str:
    """Of a column that is not sent: another than those of the columns that have a meaning."""
    has_meaning = name in COLUMNS or (name in ADDED_COLUMNS and not is_rejects)
    return f"{name} (not sent)" if has_meaning else name


def _first_line(blocks: Iterator[bytes], data: bytes, number: int) -> tuple[bytes, bytes, int]:
    """The first line that is not blank, what was read behind it, and the number of the line after it."""
    for block in chain([b""], blocks):
        data += block
        while b"\n" in data:
            line, _, data = data.partition(b"\n")
            number += 1
            if line.strip():
                return line.strip(_LINE_MARGIN), data, number
        if len(data) > MAX_LINE_BYTES:
            raise BadInput("The first line is too long for a header.")
    return data.strip(_LINE_MARGIN), b"", number + 1


def _names(line: bytes, separator: bytes) -> list[str]:
    return read_fields(line, separator) or []


def _find_columns(names: Sequence[str], renamed: Mapping[str, str]) -> dict[int, str]:
    """Our name for each place in the header that has one. A column that an earlier rule found is not looked for again,
    so that `Price` is unknown beside `UnitPrice`.
    """
    rules: tuple[Callable[[str], str | None], ...] = (renamed.get, _OURS.get, _ALIASES.get)
    found: dict[int, str] = {}
    for rule in rules:
        before = set(found.values())
        matches = {place: rule(_fold(name)) for place, name in enumerate(names) if place not in found}
        found |= {place: ours for place, ours in matches.items() if ours and ours not in before}
    return found


def _fold(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


_OURS = {_fold(name): name for name in COLUMNS}


def _missing_and_repeated(found: Iterable[str]) -> Iterator[str]:
    counts = Counter(found)
    yield from (f"{name} is missing" for name in COLUMNS if not counts[name])
    yield from (f"{name} is there {counts[name]} times" for name in COLUMNS if counts[name] > 1)


def _unknown(names: Sequence[str], places: Iterable[int], known: int) -> Iterator[str]:
    """A name is shown only where it is clearly one: it may be a value of a row."""
    for place in places:
        close = get_close_matches(_fold(names[place]), _OURS, n=1)
        is_name = bool(close) or known >= len(COLUMNS) // 2
        shown = repr(names[place]) if is_name and _is_plain(names[place]) else f"column {place + 1}"
        yield f"{shown} is unknown{f' (did you mean {_OURS[close[0]]}?)' if close else ''}"


def _is_plain(name: str) -> bool:
    return 0 < len(name.strip()) <= _LONGEST_NAME and name.isprintable()


def _no_header(line: bytes) -> str:
    """The line itself is not shown: without a header it is a row."""
    if b"InvoiceNo" in line and b"\r" in line:
        return "The lines of the file end with a carriage return alone. They must end with a line feed."
    return f"The first line names none of the columns. {_COLUMNS_NEEDED}"


def _notes(names: Sequence[str], found: Mapping[int, str], unknown: Sequence[int]) -> Iterator[str]:
    other_names = {place: ours for place, ours in found.items() if _OURS.get(_fold(names[place])) != ours}
    if other_names:
        pairs = (f"{names[place]} is read as {ours}" for place, ours in sorted(other_names.items()))
        yield f"Columns with other names: {', '.join(pairs)}."
    if unknown:
        shown = (names[place] if _is_plain(names[place]) else f"column {place + 1}" for place in unknown)
        yield f"Columns that are not sent: {', '.join(shown)}."
