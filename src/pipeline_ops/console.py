"""What the commands print: tables, progress bars, and text that a stranger sent."""

import unicodedata

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


def print_table(table: Table) -> None:
    """As wide as the terminal at most: long values go on in a second line. Nothing is cut off."""
    for column in table.columns:
        column.overflow = "fold"
    Console().print(table)


def plural(count: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


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
