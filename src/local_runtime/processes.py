"""The processes of a run: how each is started, watched and stopped, and how its server gets its port."""

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


def bind_loopback(preferred: int) -> socket.socket:
    """A listening socket on loopback: on `preferred` if that port is free, else on one that the system chooses.

    A server process inherits it. So no other process can take the port between the choice and the server's start.
    """
    listener = _try_bind(preferred) or socket.create_server((LOOPBACK, _ANY_PORT))
    # The connections inherit it. uvicorn takes an inherited socket for a Unix one and would not set it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _try_bind(port: int) -> socket.socket | None:
    """A connection is tried too: beside a listener on all interfaces, some systems let us bind to one of them."""
    with socket.socket() as caller:
        if caller.connect_ex((LOOPBACK, port)) == 0:
            return None
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError:
        return None


# The most memory that a process has ever held, where the system says so.

_BYTES_PER_KB = 1024


def peak_memory(pid: int, processes: Path = Path("/proc")) -> int | None:
    """Bytes; None on a system without /proc, or once the process is gone."""
    try:
        status = (processes / str(pid) / "status").read_text()
    except OSError:
        return None
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peaks[0]) * _BYTES_PER_KB if peaks else None


# One process of the pipeline: how it is started, looked at and stopped.

_TAIL_LINES = 15
_STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Command:
    """A Python module to run.

    Its log gets stderr, and stdout too unless somebody reads it (`speaks`). One that `ends` is no server: it may.
    A server accepts connections on its `inherited_socket`.
    """

    name: str
    module: str
    log: Path
    environment: Mapping[str, str]
    arguments: Sequence[str] = field(default=())
    speaks: bool = False
    ends: bool = False
    inherited_socket: socket.socket | None = None

    @property
    def line(self) -> list[str]:
        return [sys.executable, "-m", "local_runtime.child", str(os.getpid()), self.module, *self.arguments]


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
                pass_fds=[command.inherited_socket.fileno()] if command.inherited_socket else [],
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


# Everything that a run has started, and the promise that nothing of it is left behind.

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


_LONGEST_SECONDS = 60.0
_PAUSE_SECONDS = 0.05


def wait_until_healthy(
    process: Process,
    url: str,
    *,
    is_healthy: Callable[[str], bool],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Raises ProcessEnded if the process gives up, RunError if it never answers."""
    deadline = clock() + _LONGEST_SECONDS
    while not is_healthy(url):
        process.check()
        if clock() > deadline:
            raise RunError(
                f"{process.command.name} did not answer within {_LONGEST_SECONDS:.0f} s; its log is "
                f"{process.command.log}"
            )
        sleep(_PAUSE_SECONDS)


def is_answering(url: str, certificate: Path | None = None) -> bool:
    """True once the server says 200. A proxy of the user's never stands between."""
    verify = ssl.create_default_context(cafile=certificate) if certificate else True
    try:
        with httpx.Client(trust_env=False, timeout=5, verify=verify) as client:
            return client.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
