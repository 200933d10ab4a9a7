"""A sheet of an .xlsx file as CSV, so that everything behind it reads one kind of file.

A sheet knows numbers and dates, a CSV knows texts only: a date becomes ISO 8601, a whole number its digits (an id that
is a float, `17850.0`, becomes `17850`), and any other number its shortest text, so that 2.55 is `2.55`.
"""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from tempfile import TemporaryFile
from typing import BinaryIO, TypeAlias, cast

from client.errors import BadInput
from client.records import write_row

_Cell: TypeAlias = object
_FLOAT_IS_WHOLE_BELOW = 2**53  # above it, floats skip whole numbers
_MILLISECOND = timedelta(milliseconds=1)


@contextmanager
def csv_of_workbook(workbook: BinaryIO, sheet: str | None) -> Iterator[BinaryIO]:
    """A temporary CSV of the sheet; None is the first one. Row n of the sheet begins on line n, unless a cell has
    several lines. Raises BadInput. Holds the whole sheet in memory until it is written.
    """
    with cast("BinaryIO", TemporaryFile()) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        _write_rows(_read_rows(workbook, sheet), text)
        text.flush()
        text.detach()
        yield file


def _read_rows(workbook: BinaryIO, sheet: str | None) -> Iterable[list[_Cell]]:
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - most files are CSV

    workbook.seek(0)
    try:
        with CalamineWorkbook.from_filelike(workbook) as book:
            if sheet is not None and sheet not in book.sheet_names:
                raise BadInput(f"The file has no sheet {sheet!r}. Its sheets are: {', '.join(book.sheet_names)}.")
            chosen = book.get_sheet_by_index(0) if sheet is None else book.get_sheet_by_name(sheet)
            return cast("list[list[_Cell]]", chosen.to_python(skip_empty_area=False))
    except CalamineError as error:
        raise BadInput("The .xlsx file cannot be read: it is damaged, or a password protects it.") from error


def _write_rows(rows: Iterable[list[_Cell]], file: io.TextIOWrapper) -> None:
    """Cells behind the last column of the header are left out where they are empty."""
    width = 0
    for cells in rows:
        texts = [_text(cell) for cell in cells]
        used = _used_width(texts)
        if not width:  # until the header, whose names may have line breaks
            texts, width = [" ".join(text.split()) for text in texts], used
        if used:
            write_row(file, texts[: max(width, used)])
        else:
            file.write("\n")


def _used_width(texts: list[str]) -> int:
    return max((place for place, text in enumerate(texts, 1) if text), default=0)


def _text(cell: _Cell) -> str:
    if isinstance(cell, float):
        is_whole = cell.is_integer() and abs(cell) < _FLOAT_IS_WHOLE_BELOW
        return str(int(cell)) if is_whole else format(Decimal(repr(cell)), "f")
    if isinstance(cell, datetime):
        return _to_milliseconds(cell).isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _to_milliseconds(instant: datetime) -> datetime:
    """A sheet counts days in a float, which is exact to some microseconds."""
    rounded = instant + _MILLISECOND / 2
    return rounded.replace(microsecond=rounded.microsecond // 1000 * 1000)
