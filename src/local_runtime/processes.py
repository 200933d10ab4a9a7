"""The processes of a run: how each is started, watched and stopped, and how a server gets its port."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import httpx

from local_runtime.errors import ProcessEnded, RunError

LOOPBACK = "127.0.0.1"
_ANY_PORT = 0
_TAIL_LINES = 15
_BYTES_PER_KB = 1024
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LONGEST_START_SECONDS = 60.0
_POLL_SECONDS = 0.05
_REQUEST_SECONDS = 5.0


@dataclass(frozen=True)
class Command:
    """A Python module to run in a process of its own.

    Stderr goes to the log. Stdout goes there too, unless the parent reads it (`pipes_stdout`). `may_end` is True for a
    client, which ends by itself, and False for a server. It has `stop_seconds` to end after SIGTERM.
    """

    name: str
    module: str
    log: Path
    environment: Mapping[str, str]
    arguments: Sequence[str] = field(default=())
    pipes_stdout: bool = False
    may_end: bool = False
    stop_seconds: float = 15.0

    @property
    def line(self) -> list[str]:
        return [sys.executable, "-m", "local_runtime.child", str(os.getpid()), self.module, *self.arguments]


class Process:
    """A running command. It has a session of its own, so Ctrl-C on the terminal reaches its supervisor only.

    A server inherits the socket on which it accepts connections.
    """

    def __init__(self, command: Command, listener: socket.socket | None = None) -> None:
        self.command = command
        with command.log.open("ab") as log:
            self._popen = subprocess.Popen(  # noqa: S603 - our own modules, no shell
                command.line,
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if command.pipes_stdout else log,
                stderr=log,
                start_new_session=True,
                pass_fds=[listener.fileno()] if listener else [],
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    def stdout_lines(self) -> Iterator[bytes]:
        """What it writes to stdout, line by line, until it ends."""
        if self._popen.stdout is not None:
            yield from self._popen.stdout

    def check(self) -> None:
        """Raises ProcessEnded if it has ended."""
        if (code := self.exit_code) is not None:
            raise ProcessEnded(self.command.name, code, self.command.log, log_tail(self.command.log))

    def stop(self) -> None:
        """Send SIGTERM, wait, and kill what is left: the process, and every process that it started."""
        if self.exit_code is None:
            self._popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(self.command.stop_seconds)
        with suppress(ProcessLookupError, PermissionError):  # no process is left, or only some that are ending
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        if self._popen.stdout is not None:
            self._popen.stdout.close()


class Supervisor:
    """Everything that a run has started."""

    def __init__(self) -> None:
        self._processes: list[Process] = []

    def start(self, command: Command, listener: socket.socket | None = None) -> Process:
        process = Process(command, listener)
        self._processes.append(process)
        return process

    def release(self, process: Process) -> None:
        """Stop one process whose work is done."""
        self._processes.remove(process)
        process.stop()

    def check(self) -> None:
        """Raises ProcessEnded for the first server that has ended."""
        for process in self._processes:
            if not process.command.may_end:
                process.check()

    def stop(self) -> None:
        """Stop in reverse order, so that each process has what it needs until its end."""
        while self._processes:
            self._processes[-1].stop()
            self._processes.pop()


@contextmanager
def supervise() -> Iterator[Supervisor]:
    """Stop everything at the end of the block. Inside, Ctrl-C, SIGTERM and SIGHUP raise KeyboardInterrupt."""
    supervisor = Supervisor()
    before = {number: signal.signal(number, _interrupt) for number in _STOP_SIGNALS}
    try:
        yield supervisor
    finally:
        for number in _STOP_SIGNALS:  # a second Ctrl-C must not prevent the rest from being stopped
            signal.signal(number, signal.SIG_IGN)
        supervisor.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def bind_loopback(preferred: int) -> socket.socket:
    """A listening socket on loopback: on `preferred` if that port is free, else on one that the system chooses.

    A server process inherits it. So no other process can take the port between the choice and the server's start.
    """
    listener = _try_bind(preferred) or socket.create_server((LOOPBACK, _ANY_PORT))
    # Accepted connections inherit this option. uvicorn takes the socket for a Unix one and would not set it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def wait_until_healthy(
    process: Process,
    url: str,
    *,
    is_healthy: Callable[[str], bool] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Raises ProcessEnded if the process ends, RunError if it does not respond in time."""
    deadline = clock() + _LONGEST_START_SECONDS
    while not (is_healthy or is_responding)(url):
        process.check()
        if clock() > deadline:
            raise RunError(
                f"{process.command.name} did not respond within {_LONGEST_START_SECONDS:.0f} s; its log is "
                f"{process.command.log}"
            )
        sleep(_POLL_SECONDS)


def is_responding(url: str, certificate: Path | None = None) -> bool:
    """Whether the server responds with 200. The request never goes through a proxy of the user's."""
    verify = ssl.create_default_context(cafile=certificate) if certificate else True
    try:
        with httpx.Client(trust_env=False, timeout=_REQUEST_SECONDS, verify=verify) as client:
            return client.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def log_tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join(lines[-_TAIL_LINES:])


def peak_memory(pid: int, processes: Path = Path("/proc")) -> int | None:
    """The most memory that a process has held, in bytes; None on a system without /proc, and for an ended process."""
    try:
        status = (processes / str(pid) / "status").read_text()
    except OSError:
        return None
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peaks[0]) * _BYTES_PER_KB if peaks else None


def _try_bind(port: int) -> socket.socket | None:
    """None if the port is in use.

    A connection is tried first, because some systems let us bind although another process listens on all interfaces.
    """
    with socket.socket() as caller:
        if caller.connect_ex((LOOPBACK, port)) == 0:
            return None
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError:
        return None


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
