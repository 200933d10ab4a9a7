"""Tables and progress bars on the terminal."""

from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

_UNLIMITED = 100_000


def print_table(table: Table) -> None:
    """As wide as its longest values, because a key that is split over two lines cannot be copied."""
    console = Console()
    width = Measurement.get(console, console.options.update(max_width=_UNLIMITED), table).maximum
    Console(width=max(console.width, width), soft_wrap=True).print(table)


def progress_bar() -> Progress:
    """On standard error, so that standard output holds only the result; silent where that is not a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, refresh_per_second=4)
