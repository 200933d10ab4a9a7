"""What `send` prints: a progress bar and a summary for people, or one JSON object a line for programs."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from client.batches import AnsweredBatch
from client.csv_file import STDIN
from client.receipts import Queryable
from client.upload import UploadStats

DATES = {"mdy": "month/day/year", "dmy": "day/month/year", "iso": "ISO 8601"}
EMPTY_FILE = "The file is empty."
_ALL_ACCEPTED, _SOME_REJECTED, _INCOMPLETE, _INTERRUPTED = 0, 1, 3, 130


@dataclass(frozen=True, slots=True)
class Changes:
    """How many lines `withdraw` or `correct` takes back and sends, as of one instant; `withdraw` sends None."""

    taken_back: int
    sent: int | None
    as_of: str

    @property
    def lines(self) -> int:
        return self.taken_back + (self.sent or 0)


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of an upload. `ending` is why it ended early, else None; `notes` say what is special about the file.

    `form` is the file's encoding or kind; `dates` is the order in which its dates were read.

    `queryable` is None unless the run waited until all rows could be queried. `changes` is None for `send`.

    `journal` is the file from which an incomplete upload can be resumed; `resumed` says whether this run did so.

    `is_refused`: the API takes nothing from this client, and `ending` says what to do. `is_rejects`: the file has the
    rejected rows of an earlier upload.
    """

    file: Path
    stats: UploadStats
    seconds: float
    rejects: Path | None
    form: str
    dates: str = "mdy"
    notes: tuple[str, ...] = ()
    queryable: Queryable | None = None
    ending: str | None = None
    interrupted: bool = False
    resumed: bool = False
    journal: Path | None = None
    changes: Changes | None = None
    is_refused: bool = False
    is_rejects: bool = False

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return _INTERRUPTED
        if self.ending:
            return _INCOMPLETE
        return _SOME_REJECTED if self.stats.rejected else _ALL_ACCEPTED

    @property
    def is_complete(self) -> bool:
        return not self.ending

    @property
    def _is_all_accepted(self) -> bool:
        return self.is_complete and not self.stats.rejected

    def event(self) -> dict[str, object]:
        """The last line of `--json`."""
        stats = self.stats
        as_of = {"as_of": self.changes.as_of} if self.changes else {}
        return {
            "event": "summary",
            "file": str(self.file),
            "rows_read": stats.rows_read,
            "accepted": stats.accepted,
            "rejected": stats.rejected,
            "not_sent": stats.not_sent,
            "not_sent_lines": [[each.first, each.last] for each in stats.not_sent_lines()],
            "batches": stats.batches,
            "bytes_sent": stats.bytes_sent,
            "resumed": self.resumed,
            "resumed_rows": stats.resumed,
            "dates": self.dates,
            "notes": list(self._all_notes()),
            "queryable_seconds": round(self.queryable.seconds, 3) if self.queryable else None,
            "set_aside": self.queryable.set_aside if self.queryable else None,
            "seconds": round(self.seconds, 3),
            "rejects_file": str(self.rejects) if self.rejects else None,
            "journal": str(self.journal) if self.journal else None,
            "error": self.ending,
            **as_of,
        }

    def show(self, console: Console) -> None:
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(justify="right")
        for name, value in self._figures():
            table.add_row(name, value)
        dates = f", dates {DATES[self.dates]}" if self.stats.rows_read else ""
        console.print(Text(f"{shown_name(self.file)} ({self.form}{dates})", style="bold"))
        console.print(table)
        for remark in self._remarks():
            console.print(Text(remark), soft_wrap=True)

    def _figures(self) -> Iterator[tuple[str, str]]:
        stats = self.stats
        yield from self._changed_lines(self.changes) if self.changes else self._sent_rows()
        if self.resumed:
            yield "sent before", f"{stats.resumed:,}"
        yield "batches", f"{stats.batches:,}"
        yield "bytes sent", f"{stats.bytes_sent:,}"
        yield "seconds", f"{self.seconds:,.1f}"
        if self.queryable:
            yield "queryable after", f"{self.queryable.seconds:,.1f} s"
        if not self.changes:
            yield "rows/s", f"{(stats.accepted + stats.rejected - stats.resumed) / max(self.seconds, 1e-3):,.0f}"

    def _sent_rows(self) -> Iterator[tuple[str, str]]:
        yield "rows read", f"{self.stats.rows_read:,}"
        yield "accepted", f"{self.stats.accepted:,}"
        yield "rejected", f"{self.stats.rejected:,}"
        if self.stats.not_sent:
            yield "not sent", f"{self.stats.not_sent:,}"

    def _changed_lines(self, changes: Changes) -> Iterator[tuple[str, str]]:
        """How many of which kind is only known where all were changed."""
        if self._is_all_accepted:
            yield "taken back", f"{changes.taken_back:,}"
            if changes.sent is not None:
                yield "sent", f"{changes.sent:,}"
            return
        yield "lines to change", f"{changes.lines:,}"
        yield "changed", f"{self.stats.accepted:,}"
        yield "refused", f"{self.stats.rejected:,}"
        yield "not sent", f"{changes.lines - self.stats.accepted - self.stats.rejected:,}"

    def _all_notes(self) -> Sequence[str]:
        return notes_with_rows(self.notes, self.stats.rows_read if self.is_complete else None)

    def _remarks(self) -> Iterator[str]:
        yield from self._all_notes()
        if self.changes and self.stats.accepted:
            what = "This" if self._is_all_accepted else "What was changed"
            yield f"{what} holds as of {self.changes.as_of}."
        if self.queryable and self.queryable.set_aside:
            rows = plural(self.queryable.set_aside, "accepted row")
            yield f"{rows} could not be stored and set aside; an operator finds the reasons with `ops failed list`."
        yield from self._reject_remarks()
        if ranges := self.stats.not_sent_lines():
            others = (
                "The API has answered for all other rows." if self.stats.batches else "The API has answered for no row."
            )
            if not self.changes:  # their lines are those of two files
                yield f"Not sent, or not answered: {'; '.join(map(str, ranges))}. {others}"
            yield from self._what_to_do()

    def _reject_remarks(self) -> Iterator[str]:
        is_stored = self._is_all_accepted and not (self.queryable and self.queryable.set_aside)
        if self.is_rejects and is_stored and self.stats.rows_read and self.file != STDIN:
            yield f"Every row of this rejects file was accepted: {self.file} can be deleted."
        if self.rejects:
            yield f"The rejected rows and their reasons are in {shown_name(self.rejects)}"
        if self.rejects and not self.changes:
            option = f" with --dates {self.dates}" if self.dates == "dmy" else ""
            where = "that file" if self.file == STDIN else shown_name(self.file)
            yield f"Correct them in {where} and send it again{option}: rows that arrived before count once."

    def _what_to_do(self) -> Iterator[str]:
        if self.journal:
            journal = shown_name(self.journal)
            yield f"Run the same command again to send the rest: {journal} says which rows have arrived."
        elif self.changes and not self.is_refused:
            yield "Run the same command again when you can."
        elif not self.is_refused:
            yield "Send the whole file again when you can."


def notes_with_rows(notes: Sequence[str], rows: int | None) -> Sequence[str]:
    """With a note where the file was read to its end and has a header alone; `rows` None: it was not."""
    return [*notes, "The file has a header and no rows."] if rows == 0 and EMPTY_FILE not in notes else notes


def plural(count: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shown_name(file: Path) -> str:
    """A name that is not UTF-8, as old archives have them, is shown with a mark in the place of each strange byte."""
    return "standard input" if file == STDIN else os.fsencode(file).decode(errors="replace")


class Bar:
    """Shows how much of the file was sent, with rows, rows a second and the time left."""

    def __init__(self, progress: Progress, task: TaskID, clock: Callable[[], float]) -> None:
        self._progress = progress
        self._task = task
        self._clock = clock
        self._started = clock()
        self._fraction = 0.0
        self._rows = 0
        self._sent = 0

    def batch_answered(self, batch: AnsweredBatch) -> None:
        self._rows += len(batch.rows)
        self._sent += 0 if batch.is_resumed else len(batch.rows)
        self._fraction = max(self._fraction, batch.rows.fraction)
        speed = f"{self._sent / max(self._clock() - self._started, 1e-3):,.0f} rows/s"
        self._progress.update(self._task, completed=self._fraction, rows=f"{self._rows:,}", speed=speed)

    def stop(self) -> None:
        """Remove the bar from the terminal."""
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
    """Writes one event a line, each at once."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._fraction = 0.0

    def batch_answered(self, batch: AnsweredBatch) -> None:
        self._fraction = max(self._fraction, batch.rows.fraction)
        event: dict[str, object] = {
            "event": "batch",
            "batch_id": batch.key,
            "rows": len(batch.rows),
            "accepted": batch.response["accepted"],
            "rejected": batch.response["rejected"],
            "file_fraction": round(self._fraction, 4),
        }
        self.write(event | ({"resumed": True} if batch.is_resumed else {}))

    def write(self, event: dict[str, object]) -> None:
        print(json.dumps(event), file=self._out, flush=True)
