"""Everything that a run has started, and the promise that nothing of it is left behind."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from local_runtime.processes.process import Command, Process

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    def __init__(self) -> None:
        self._processes: list[Process] = []

    def start(self, command: Command) -> Process:
        process = Process(command)
        self._processes.append(process)
        return process

    def release(self, process: Process) -> None:
        """The process has done its work; it may end."""
        self._processes.remove(process)
        process.stop()

    def check(self) -> None:
        """Raises ProcessEnded for the first server that is gone."""
        for process in self._processes:
            if not process.command.ends:
                process.check()

    def stop(self) -> None:
        """The last that was started ends first, so each still has what it needs."""
        while self._processes:
            self._processes[-1].stop()
            self._processes.pop()


@contextmanager
def supervised() -> Iterator[Supervisor]:
    """Stop everything at the end. Being asked to stop (Ctrl-C, SIGTERM, SIGHUP) raises KeyboardInterrupt inside."""
    supervisor = Supervisor()
    before = {number: signal.signal(number, _interrupt) for number in _STOP_SIGNALS}
    try:
        yield supervisor
    finally:
        for number in _STOP_SIGNALS:  # a second Ctrl-C must not cut the stopping short
            signal.signal(number, signal.SIG_IGN)
        supervisor.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
