"""The upload of the CSV: the client sends it, the terminal shows the progress, and the consumers catch up."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import TypeAlias

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from local_runtime.errors import RunError
from local_runtime.folder import RunFolder
from local_runtime.messages import (
    BatchResult,
    ConsumerCheckpoint,
    Inbox,
    Message,
    UploadSummary,
    parse_client_line,
    start_listener,
)
from local_runtime.processes import Command, Process, Supervisor, peak_memory

STALL_SECONDS = 60.0
"""A run waits so long without any progress, plus the time that a consumer may need for one batch."""

_POLL_SECONDS = 0.1
_PLAIN_LINE_EVERY_SECONDS = 5.0
_BAR_WIDTH = 30
_MS_PER_SECOND = 1000
_STAGE_LABELS = {"to_s3": "archived", "to_dynamodb": "indexed"}


@dataclass
class Stage:
    """The rows that have passed one stage. `seconds` is the time from the start of the upload to the last of them."""

    label: str
    rows: int = 0
    seconds: float = 0.0
    lag_ms: float | None = None
    batches: set[str] = field(default_factory=set)
    discarded: set[str] = field(default_factory=set)

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds if self.seconds else 0.0

    def add(self, rows: int, seconds: float) -> None:
        if rows:
            self.rows += rows
            self.seconds = seconds


class Progress:
    """Counts the rows at each stage: the client reports sent and accepted ones, each consumer the ones it has done.

    A consumer may acknowledge a batch before the client learns that it was accepted.
    """

    def __init__(self, consumers: Iterable[str]) -> None:
        self.sent = Stage("sent")
        self.accepted = Stage("accepted")
        self.consumed = {name: Stage(_STAGE_LABELS.get(name, name)) for name in consumers}
        self.summary: UploadSummary | None = None
        self._accepted_rows: dict[str, int] = {}
        self._file_fraction = 0.0

    @property
    def stages(self) -> list[Stage]:
        return [self.sent, self.accepted, *self.consumed.values()]

    @property
    def total(self) -> int:
        """Rows in the file: the client's count, or an estimate from how much of the file it has read."""
        if self.summary:
            return self.summary.rows_read
        return round(self.sent.rows / self._file_fraction) if self._file_fraction else 0

    @property
    def passed_rows(self) -> int:
        """The sum over all stages, which grows with any progress."""
        return sum(stage.rows for stage in self.stages)

    @property
    def rows_per_second(self) -> dict[str, float]:
        """The speed of each stage, by its label."""
        return {stage.label: round(stage.rows_per_second, 1) for stage in self.stages}

    @property
    def pending_rows(self) -> int:
        """Accepted rows that some consumer has neither acknowledged nor discarded, counted for each consumer."""
        return sum(self.accepted.rows - stage.rows - self._discarded_rows(stage) for stage in self.consumed.values())

    def add(self, message: Message, seconds: float) -> None:
        match message:
            case BatchResult():
                self._add_result(message, seconds)
            case ConsumerCheckpoint():
                self._add_checkpoint(message, seconds)
            case UploadSummary():
                self.summary = message

    def _discarded_rows(self, stage: Stage) -> int:
        return sum(self._accepted_rows.get(batch_id, 0) for batch_id in stage.discarded - stage.batches)

    def _add_result(self, result: BatchResult, seconds: float) -> None:
        self._file_fraction = max(self._file_fraction, result.file_fraction)
        self._accepted_rows[result.batch_id] = result.accepted
        self.sent.add(result.rows, seconds)
        self.accepted.add(result.accepted, seconds)
        for stage in self.consumed.values():
            if result.batch_id in stage.batches:
                stage.add(result.accepted, seconds)

    def _add_checkpoint(self, checkpoint: ConsumerCheckpoint, seconds: float) -> None:
        stage = self.consumed[checkpoint.stage]
        stage.lag_ms = checkpoint.iterator_age_ms
        stage.discarded.update(checkpoint.discarded)
        for batch_id in set(checkpoint.acknowledged) - stage.batches:
            stage.batches.add(batch_id)
            stage.add(self._accepted_rows.get(batch_id, 0), seconds)


ShowProgress: TypeAlias = Callable[[Progress, float], None]


@dataclass(frozen=True)
class UploadResult:
    """`client_errors` is what the client wrote to stderr. `has_stalled`: the consumers did not catch up."""

    exit_code: int
    client_errors: str
    peak_memory: int | None
    has_stalled: bool
    seconds: float


def start_client(  # noqa: PLR0913, PLR0917 - what one upload is made of
    supervisor: Supervisor,
    folder: RunFolder,
    machine: Mapping[str, str],
    csv: Path,
    url: str,
    dates: str | None = None,
) -> Process:
    """The client sends the whole file: the engine of an earlier run has ended, and its memory with it."""
    options = ("--rejects", str(folder.rejects), "--journal", str(folder.journal), "--fresh", "--json")
    order = ("--dates", dates) if dates else ()
    return supervisor.start(
        Command(
            name="the client",
            module="client",
            log=folder.logs / "client.log",
            environment=machine,
            arguments=("send", str(csv), "--url", url, *options, *order),
            pipes_stdout=True,
            may_end=True,
        )
    )


class UploadMonitor:
    """Adds the messages of all processes to the progress, and notices when a server ends or the progress stops."""

    def __init__(
        self,
        supervisor: Supervisor,
        inbox: Inbox,
        progress: Progress,
        *,
        clock: Callable[[], float] = time.monotonic,
        stall_seconds: float,
    ) -> None:
        self._supervisor = supervisor
        self._inbox = inbox
        self._progress = progress
        self._clock = clock
        self._stall_seconds = stall_seconds
        self._start = clock()

    def wait(self, client: Process, show: ShowProgress) -> UploadResult:
        """Return when the client has ended and the consumers have caught up with it, or have stalled."""
        peak = self._wait_for_client(client, show)
        has_stalled = not self._wait_for_consumers(show)
        return UploadResult(
            exit_code=client.exit_code or 0,
            client_errors=client.command.log.read_text(errors="replace").strip(),
            peak_memory=peak,
            has_stalled=has_stalled,
            seconds=max(stage.seconds for stage in self._progress.stages),
        )

    def poll(self) -> None:
        """Add all waiting messages, or wait up to 0.1 s for one. Raises RunError for an ended server or a bad line."""
        self._supervisor.check()
        try:
            message = self._inbox.get(timeout=_POLL_SECONDS)
            while True:
                self._add(message)
                message = self._inbox.get_nowait()
        except Empty:
            return

    def _wait_for_client(self, client: Process, show: ShowProgress) -> int | None:
        listener = start_listener(client.command.name, client.stdout_lines(), parse_client_line, self._inbox)
        peak = None
        while listener.is_alive() or client.exit_code is None or not self._inbox.empty():
            peak = peak_memory(client.pid) or peak
            self.poll()
            show(self._progress, self._seconds)
        self._supervisor.release(client)
        return peak

    def _wait_for_consumers(self, show: ShowProgress) -> bool:
        """False if there was no progress for `stall_seconds`."""
        progressed_at, passed_rows = self._seconds, -1
        while self._progress.pending_rows:
            if self._progress.passed_rows != passed_rows:
                progressed_at, passed_rows = self._seconds, self._progress.passed_rows
            elif self._seconds - progressed_at > self._stall_seconds:
                return False
            self.poll()
            show(self._progress, self._seconds)
        return True

    def _add(self, message: Message | RunError) -> None:
        if isinstance(message, RunError):
            raise message
        self._progress.add(message, self._seconds)

    @property
    def _seconds(self) -> float:
        return self._clock() - self._start


@contextmanager
def progress_display(console: Console) -> Iterator[ShowProgress]:
    """A function that shows the progress: as a table on a terminal, elsewhere as a line every five seconds.

    Call it as often as you like, with the progress and the seconds since the start.
    """
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
    """The age of the last record that the stage has acknowledged."""
    return "" if stage.lag_ms is None else f"{stage.lag_ms / _MS_PER_SECOND:.1f} s"


class _PlainLines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._next = 0.0

    def __call__(self, progress: Progress, seconds: float) -> None:
        if seconds >= self._next:
            self._next = seconds + _PLAIN_LINE_EVERY_SECONDS
            self._console.print(progress_line(progress, seconds), highlight=False, soft_wrap=True)
