"""The client's run over the CSV, followed until every accepted row has passed every consumer."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty

from local_runtime.errors import RunError
from local_runtime.folder import RunFolder
from local_runtime.processes.memory import peak_memory
from local_runtime.processes.process import Command, Process
from local_runtime.processes.supervisor import Supervisor
from local_runtime.upload.messages import Inbox, Message, from_client, listen
from local_runtime.upload.progress import Progress
from local_runtime.upload.screen import Show

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
