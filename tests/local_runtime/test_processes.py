"""Processes are started, watched and stopped, and none is left behind. The tests start small real ones."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from local_runtime.errors import ProcessEnded, RunError
from local_runtime.processes import (
    LOOPBACK,
    Command,
    Process,
    bind_loopback,
    peak_memory,
    supervise,
    wait_until_healthy,
)

pytestmark = pytest.mark.slow

ENVIRONMENT: Mapping[str, str] = {**os.environ, "PYTHONPATH": str(Path(__file__).parent / "programs")}


def _command(folder: Path, module: str, *arguments: str, may_end: bool = False) -> Command:
    log = folder / f"{module}.log"
    return Command(module, module, log, ENVIRONMENT, arguments, pipes_stdout=True, may_end=may_end)


def _wait_for_first_line(process: Process) -> None:
    """Return when its program runs."""
    next(process.stdout_lines())


def _wait_for_end(process: Process) -> None:
    for _ in process.stdout_lines():
        pass
    while process.exit_code is None:
        pass


def test_a_child_has_a_session_of_its_own(tmp_path: Path) -> None:
    """Ctrl-C on the terminal reaches the supervisor only."""
    with supervise() as supervisor:
        process = supervisor.start(_command(tmp_path, "waits"))
        assert os.getsid(process.pid) == process.pid


def test_the_last_process_started_is_the_first_one_stopped(tmp_path: Path) -> None:
    """Consumers end while the engine still runs."""
    order = tmp_path / "order"
    with supervise() as supervisor:
        for name in ("engine", "API", "consumer"):
            _wait_for_first_line(supervisor.start(_command(tmp_path, "waits", name, str(order))))
    assert order.read_text().split() == ["consumer", "API", "engine"]


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """It gets SIGTERM first, and SIGKILL after a time limit."""
    process = Process(replace(_command(tmp_path, "stubborn"), stop_seconds=0.1))
    _wait_for_first_line(process)
    process.stop()
    assert process.exit_code == -signal.SIGKILL


def test_an_error_inside_the_block_stops_everything(tmp_path: Path) -> None:
    """A run that fails leaves no process behind."""
    with pytest.raises(RunError), supervise() as supervisor:  # noqa: PT012 - the whole block is left
        process = supervisor.start(_command(tmp_path, "waits"))
        raise RunError("no")
    assert process.exit_code is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_stop_ends_the_children(tmp_path: Path, number: signal.Signals) -> None:
    """It comes from Ctrl-C, from another process, or from a terminal that was closed."""
    with pytest.raises(KeyboardInterrupt), supervise() as supervisor:  # noqa: PT012 - the whole block is left
        process = supervisor.start(_command(tmp_path, "waits"))
        signal.raise_signal(number)
    assert process.exit_code is not None


def test_a_second_ctrl_c_does_not_prevent_the_rest_from_being_stopped(tmp_path: Path) -> None:
    """The child sends it while it is being stopped."""
    with supervise() as supervisor:
        process = supervisor.start(_command(tmp_path, "interrupts"))
        _wait_for_first_line(process)
    assert process.exit_code == 0


def test_a_child_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    """After SIGKILL nobody can stop it. Its stdout closes only when it has ended."""
    command = [sys.executable, "-m", "supervises", str(tmp_path / "child.log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT) as supervisor:
        assert supervisor.stdout is not None
        supervisor.stdout.readline()
        supervisor.kill()
        assert supervisor.stdout.read() == b""


def test_a_server_that_ends_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    """The error has the name, the exit code and the log of the server."""
    with supervise() as supervisor:
        process = supervisor.start(_command(tmp_path, "fails", "the disk is full"))
        _wait_for_end(process)
        with pytest.raises(ProcessEnded, match="fails ended unexpectedly with exit code 3") as caught:
            supervisor.check()
    assert caught.value.log_tail == "the disk is full"


def test_a_process_that_may_end_is_no_error(tmp_path: Path) -> None:
    """The client ends when its work is done."""
    with supervise() as supervisor:
        process = supervisor.start(_command(tmp_path, "fails", "done", may_end=True))
        _wait_for_end(process)
        supervisor.check()
        supervisor.release(process)
    assert process.exit_code == 3


def test_waiting_ends_with_the_process(tmp_path: Path) -> None:
    """Nobody waits for a server that has ended."""
    process = Process(_command(tmp_path, "fails", "no such port"))
    _wait_for_end(process)
    with pytest.raises(ProcessEnded):
        wait_until_healthy(process, "http://x", is_healthy=lambda _: False)
    process.stop()


def test_waiting_ends_after_a_minute(tmp_path: Path) -> None:
    """The clock is the test's own, so nobody waits here."""
    times = iter((0.0, 30.0, 61.0))
    process = Process(_command(tmp_path, "waits"))
    with pytest.raises(RunError, match="waits did not respond within 60 s"):
        wait_until_healthy(
            process, "http://x", is_healthy=lambda _: False, clock=lambda: next(times), sleep=lambda _: None
        )
    process.stop()


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def _free_port() -> int:
    with bind_loopback(0) as listener:
        return _port(listener)


def test_a_free_port_is_used_as_preferred() -> None:
    """Only this machine can reach it."""
    port = _free_port()
    with bind_loopback(port) as listener:
        assert listener.getsockname() == (LOOPBACK, port)


def test_another_port_is_chosen_beside_a_listener() -> None:
    """A second run does not fail, whoever has the preferred port."""
    with bind_loopback(0) as first, bind_loopback(_port(first)) as second:
        assert _port(first) != _port(second)


def test_another_port_is_chosen_beside_a_listener_on_all_interfaces() -> None:
    """Some systems let both listen, and callers would reach either."""
    with socket.create_server(("", 0)) as everywhere, bind_loopback(_port(everywhere)) as listener:
        assert _port(listener) != _port(everywhere)


def test_simultaneous_starts_get_different_ports() -> None:
    """All of them prefer the same port, and one gets it."""
    port = _free_port()
    with ThreadPoolExecutor(16) as pool:
        listeners = list(pool.map(bind_loopback, [port] * 16))
    ports = [_port(listener) for listener in listeners]
    for listener in listeners:
        listener.close()
    assert (len(set(ports)), ports.count(port)) == (16, 1)


def test_peak_memory_is_in_bytes(tmp_path: Path) -> None:
    """Linux counts in kB of 1,024 bytes."""
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "status").write_text("Name:\tpython\nVmHWM:\t   100 kB\nVmRSS:\t    90 kB\n")
    assert peak_memory(7, tmp_path) == 102_400


def test_peak_memory_is_none_where_the_system_does_not_tell(tmp_path: Path) -> None:
    """The report then omits it."""
    assert peak_memory(7, tmp_path) is None
