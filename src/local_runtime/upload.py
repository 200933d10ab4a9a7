"""The client's run over the CSV, followed until every accepted row has passed every consumer."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from local_runtime.errors import RunError
from local_runtime.folder import RunFolder
from local_runtime.processes import Command, Process, Supervisor, peak_memory

# What the client and the consumers say on stdout, a JSON object a line.


@dataclass(frozen=True)
class BatchAnswered:
    event: Literal["batch"]
    batch_id: str
    rows: int
    accepted: int
    rejected: int
    file_fraction: float


@dataclass(frozen=True)
class UploadSummary:
    event: Literal["summary"]
    rows_read: int
    accepted: int
    rejected: int
    not_sent: int
    seconds: float
    rejects_file: str | None = None


@dataclass(frozen=True)
class Acknowledged:
    """Batches that are behind a consumer's new checkpoint: handled, or `discarded` to the on-failure destination.

    `stage` is added by who reads the line.
    """

    acknowledged: list[str]
    iterator_age_ms: float
    stage: str = ""
    discarded: list[str] = field(default_factory=list)


Message: TypeAlias = BatchAnswered | UploadSummary | Acknowledged
Inbox: TypeAlias = "SimpleQueue[Message | RunError]"

_CLIENT: TypeAdapter[BatchAnswered | UploadSummary] = TypeAdapter(
    Annotated[BatchAnswered | UploadSummary, Field(discriminator="event")]
)
_CONSUMER: TypeAdapter[Acknowledged] = TypeAdapter(Acknowledged)


def from_client(line: bytes) -> Message:
    return _CLIENT.validate_json(line)


def from_consumer(stage: str) -> Callable[[bytes], Message]:
    return lambda line: replace(_CONSUMER.validate_json(line), stage=stage)


def listen(process: Process, read: Callable[[bytes], Message], inbox: Inbox) -> threading.Thread:
    """Put what the process says into the inbox, in a thread that ends when the process falls silent."""
    thread = threading.Thread(target=_listen, args=(process, read, inbox), daemon=True)
    thread.start()
    return thread


def _listen(process: Process, read: Callable[[bytes], Message], inbox: Inbox) -> None:
    for line in process.lines():
        try:
            inbox.put(read(line))
        except ValidationError:
            inbox.put(RunError(f"{process.command.name} said something on stdout that is no message of ours"))


# How far the rows have come: sent and accepted as the client says, archived and indexed as the consumers do.

_STAGE_LABELS = {"to_s3": "archived", "to_dynamodb": "indexed"}


@dataclass
class Stage:
    """Rows that have passed one stage; `seconds` is when the last of them did, since the upload began."""

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
    """What is known so far. A consumer may acknowledge a batch before the client has heard that it was accepted."""

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
        """Rows in the file: as the client has counted, or estimated from how much of the file it has read."""
        if self.summary:
            return self.summary.rows_read
        return round(self.sent.rows / self._file_fraction) if self._file_fraction else 0

    @property
    def rows_moved(self) -> int:
        """Grows as long as anything gets on."""
        return sum(stage.rows for stage in self.stages)

    @property
    def missing_rows(self) -> int:
        """Accepted rows that are still before some consumer: neither acknowledged nor discarded."""
        return sum(self.accepted.rows - stage.rows - self._discarded_rows(stage) for stage in self.consumed.values())

    def _discarded_rows(self, stage: Stage) -> int:
        return sum(self._accepted_rows.get(batch_id, 0) for batch_id in stage.discarded - stage.batches)

    def note(self, message: Message, seconds: float) -> None:
        match message:
            case BatchAnswered():
                self._note_answer(message, seconds)
            case Acknowledged():
                self._note_acknowledged(message, seconds)
            case UploadSummary():
                self.summary = message

    def _note_answer(self, answer: BatchAnswered, seconds: float) -> None:
        self._file_fraction = max(self._file_fraction, answer.file_fraction)
        self._accepted_rows[answer.batch_id] = answer.accepted
        self.sent.add(answer.rows, seconds)
        self.accepted.add(answer.accepted, seconds)
        for stage in self.consumed.values():
            if answer.batch_id in stage.batches:
                stage.add(answer.accepted, seconds)

    def _note_acknowledged(self, message: Acknowledged, seconds: float) -> None:
        stage = self.consumed[message.stage]
        stage.lag_ms = message.iterator_age_ms
        stage.discarded.update(message.discarded)
        for batch_id in set(message.acknowledged) - stage.batches:
            stage.batches.add(batch_id)
            stage.add(self._accepted_rows.get(batch_id, 0), seconds)


# Progress for the eye: one live table on a terminal, a plain line now and then anywhere else.

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


PATIENCE_SECONDS = 60.0
"""How long nothing at all may move before we stop waiting, beside the time that a consumer may take for one batch."""

_TICK_SECONDS = 0.1


@dataclass(frozen=True)
class Upload:
    """`complaint` is what the client wrote to stderr."""

    exit_code: int
    complaint: str
    peak_memory: int | None
    stalled: bool
    seconds: float


def start_client(supervisor: Supervisor, folder: RunFolder, machine: Mapping[str, str], csv: Path, url: str) -> Process:
    """It starts anew: an earlier run's upload went to an engine whose memory is gone."""
    upload = ("--rejects", str(folder.rejects), "--journal", str(folder.journal), "--fresh")
    return supervisor.start(
        Command(
            name="the client",
            module="client",
            log=folder.logs / "client.log",
            environment=machine,
            arguments=("send", str(csv), "--url", url, *upload, "--json"),
            speaks=True,
            ends=True,
        )
    )


class Follower:
    """Takes what the processes say, and notices when one of them dies or when nothing moves any more."""

    def __init__(
        self,
        supervisor: Supervisor,
        inbox: Inbox,
        progress: Progress,
        *,
        clock: Callable[[], float] = time.monotonic,
        patience: float,
    ) -> None:
        self._supervisor = supervisor
        self._inbox = inbox
        self._progress = progress
        self._clock = clock
        self._patience = patience
        self._start = clock()

    def follow(self, client: Process, show: Show) -> Upload:
        """Until the client has ended and the consumers have caught up with it, or stand still."""
        peak = self._until_sent(client, show)
        stalled = not self._until_consumed(show)
        return Upload(
            exit_code=client.exit_code or 0,
            complaint=client.command.log.read_text(errors="replace").strip(),
            peak_memory=peak,
            stalled=stalled,
            seconds=max(stage.seconds for stage in self._progress.stages),
        )

    def tick(self) -> None:
        """Take at least one message, or wait a moment for it. Raises RunError as soon as something is wrong."""
        self._supervisor.check()
        try:
            message = self._inbox.get(timeout=_TICK_SECONDS)
            while True:
                self._take(message)
                message = self._inbox.get_nowait()
        except Empty:
            return

    def _until_sent(self, client: Process, show: Show) -> int | None:
        listener = listen(client, from_client, self._inbox)
        peak = None
        while listener.is_alive() or client.exit_code is None or not self._inbox.empty():
            peak = peak_memory(client.pid) or peak
            self.tick()
            show(self._progress, self._seconds)
        self._supervisor.release(client)
        return peak

    def _until_consumed(self, show: Show) -> bool:
        """False if nothing has moved for as long as we are patient."""
        moved, rows_moved = self._seconds, -1
        while self._progress.missing_rows:
            if self._progress.rows_moved != rows_moved:
                moved, rows_moved = self._seconds, self._progress.rows_moved
            elif self._seconds - moved > self._patience:
                return False
            self.tick()
            show(self._progress, self._seconds)
        return True

    def _take(self, message: Message | RunError) -> None:
        if isinstance(message, RunError):
            raise message
        self._progress.note(message, self._seconds)

    @property
    def _seconds(self) -> float:
        return self._clock() - self._start
