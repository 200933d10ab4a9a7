"""One process of the pipeline: how it is started, looked at and stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from local_runtime.errors import ProcessEnded

_TAIL_LINES = 15
_STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Command:
    """A Python module to run.

    Its log gets stderr, and stdout too unless somebody reads it (`speaks`). One that `ends` is no server: it may.
    """

    name: str
    module: str
    log: Path
    environment: Mapping[str, str]
    arguments: Sequence[str] = field(default=())
    speaks: bool = False
    ends: bool = False

    @property
    def line(self) -> list[str]:
        return [sys.executable, "-m", "local_runtime.processes.child", str(os.getpid()), self.module, *self.arguments]


class Process:
    """A running command, in a session of its own: Ctrl-C on the terminal reaches its supervisor only."""

    def __init__(self, command: Command) -> None:
        self.command = command
        with command.log.open("ab") as log:
            self._popen = subprocess.Popen(  # noqa: S603 - our own modules, no shell
                command.line,
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if command.speaks else log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    def lines(self) -> Iterator[bytes]:
        """What it says on stdout, until it ends."""
        if self._popen.stdout is not None:
            yield from self._popen.stdout

    def check(self) -> None:
        """Raises ProcessEnded if it is gone."""
        if (code := self.exit_code) is not None:
            raise ProcessEnded(self.command.name, code, self.command.log, log_tail(self.command.log))

    def stop(self, seconds: float = _STOP_SECONDS) -> None:
        """Ask, wait, and only then kill; whatever the process itself has started goes with it."""
        if self.exit_code is None:
            self._popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(seconds)
        with suppress(ProcessLookupError, PermissionError):  # nobody is left, or only those who are ending
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        if self._popen.stdout is not None:
            self._popen.stdout.close()


def log_tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join(lines[-_TAIL_LINES:])
