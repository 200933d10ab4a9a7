"""Tables on the terminal whose keys can be copied."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_UNBOUNDED = 100_000


def print_table(table: Table) -> None:
    """As wide as its longest values: a key that is cut over two lines is of no use."""
    console = Console()
    width = Measurement.get(console, console.options.update(max_width=_UNBOUNDED), table).maximum
    Console(width=max(console.width, width), soft_wrap=True).print(table)
