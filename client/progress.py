"""What is shown while rows are sent: a bar for people, one JSON object a line for programs."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from client.answers import IngestAnswer
from client.batches import Batch


class Bar:
    """A bar by how much of the file was read, with rows, rows a second and the time left."""

    def __init__(self, progress: Progress, task: TaskID, clock: Callable[[], float]) -> None:
        self._progress = progress
        self._task = task
        self._clock = clock
        self._started = clock()
        self._fraction = 0.0
        self._rows = 0
        self._sent = 0

    def batch_answered(self, batch: Batch, _answer: IngestAnswer) -> None:
        self._rows += len(batch.rows)
        self._sent += 0 if batch.earlier_answer else len(batch.rows)
        self._fraction = max(self._fraction, batch.rows.fraction)
        speed = f"{self._sent / max(self._clock() - self._started, 1e-3):,.0f} rows/s"
        self._progress.update(self._task, completed=self._fraction, rows=f"{self._rows:,}", speed=speed)

    def stop(self) -> None:
        """It goes, and leaves the terminal to others."""
        self._progress.stop()


@contextmanager
def progress_bar(console: Console, clock: Callable[[], float]) -> Iterator[Bar]:
    columns = (
        TextColumn("sending"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} rows"),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bar(progress, progress.add_task("sending", total=1.0, rows="0", speed=""), clock)


class JsonLines:
    """An event a line, each written out at once."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._fraction = 0.0

    def batch_answered(self, batch: Batch, answer: IngestAnswer) -> None:
        self._fraction = max(self._fraction, batch.rows.fraction)
        event: dict[str, object] = {
            "event": "batch",
            "batch_id": batch.key,
            "rows": len(batch.rows),
            "accepted": answer["accepted"],
            "rejected": answer["rejected"],
            "file_fraction": round(self._fraction, 4),
        }
        self.write(event | ({"resumed": True} if batch.earlier_answer else {}))

    def write(self, event: dict[str, object]) -> None:
        print(json.dumps(event), file=self._out, flush=True)
