"""Progress for the eye: one live table on a terminal, a plain line now and then anywhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from local_runtime.upload.progress import Progress, Stage

Show: TypeAlias = Callable[[Progress, float], None]

_PLAIN_LINE_EVERY_SECONDS = 5.0
_BAR_WIDTH = 30
_MS_PER_SECOND = 1000


@contextmanager
def shown_progress(console: Console) -> Iterator[Show]:
    """A function to call with the progress and the seconds since the start, as often as one likes."""
    if not console.is_terminal:
        yield _PlainLines(console)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda progress, seconds: live.update(progress_table(progress, seconds), refresh=True)


def progress_table(progress: Progress, seconds: float) -> Table:
    table = Table(box=None, pad_edge=False, title=f"{seconds:.0f} s", title_justify="left")
    for name in ("stage", "", "rows", "rows/s", "lag"):
        table.add_column(name, justify="left" if name in {"stage", ""} else "right")
    for stage in progress.stages:
        bar = ProgressBar(total=progress.total or 1, completed=stage.rows, width=_BAR_WIDTH)
        table.add_row(stage.label, bar, f"{stage.rows:,}", f"{stage.rows_per_second:,.0f}", lag_text(stage))
    return table


def progress_line(progress: Progress, seconds: float) -> str:
    stages = (f"{stage.label} {stage.rows:,} ({stage.rows_per_second:,.0f}/s)" for stage in progress.stages)
    lags = (f"{stage.label} lag {text}" for stage in progress.stages if (text := lag_text(stage)))
    return f"{seconds:.0f} s  " + ", ".join((*stages, *lags))


def lag_text(stage: Stage) -> str:
    """The age of the last record that the stage took: how far it is behind."""
    return "" if stage.lag_ms is None else f"{stage.lag_ms / _MS_PER_SECOND:.1f} s"


class _PlainLines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._next = 0.0

    def __call__(self, progress: Progress, seconds: float) -> None:
        if seconds >= self._next:
            self._next = seconds + _PLAIN_LINE_EVERY_SECONDS
            self._console.print(progress_line(progress, seconds), highlight=False, soft_wrap=True)
