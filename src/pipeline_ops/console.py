"""What the commands print: tables, progress bars, and text that a stranger sent."""

import unicodedata
from collections.abc import Iterable

from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from invoices.errors import RowError

_NO_LIMIT = 100_000
_LONG_WORD = 24  # a longer one, such as the key of an object, may be broken
_BORDER = 3  # a line and two blanks for each column


def print_table(table: Table) -> None:
    """As wide as the terminal at most: long values go on in a second line, and nothing is cut off.

    If the terminal is too narrow even for words, each row becomes a block of lines.
    """
    console = Console()
    least_width = 1
    for column in table.columns:
        word, whole = _widths(column, console)
        column.overflow, column.no_wrap = "fold", whole <= min(word, _LONG_WORD)
        least_width += min(word, _LONG_WORD) + _BORDER
    if least_width <= console.width or not table.row_count:
        console.print(table)
        return
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        block = Table.grid(Column(), Column(overflow="fold"), padding=(0, 2))
        for column, cell in zip(table.columns, cells, strict=True):
            block.add_row(column.header, cell)
        console.print(block)
        console.print()


def _widths(column: Column, console: Console) -> tuple[int, int]:
    """Of the column's longest word, and of its longest cell."""
    unlimited = console.options.update_width(_NO_LIMIT)
    cells = [Measurement.get(console, unlimited, each) for each in (column.header, *column.cells)]
    return max(each.minimum for each in cells), max(each.maximum for each in cells)


def plural(count: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def error_lines(errors: Iterable[RowError]) -> list[str]:
    return [f"  row {error.index}: {error.field or 'the row'} {error.message}" for error in errors]


def printable(text: str) -> str:
    """Untrusted text made safe to print: control and direction characters become `\\x1b`."""
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char).startswith("C") else char for char in text
    )


def progress_bar() -> Progress:
    """On standard error, so that standard output holds only the result; silent where that is not a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, refresh_per_second=4)
