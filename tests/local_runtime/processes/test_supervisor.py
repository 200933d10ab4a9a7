"""Processes: started, watched, stopped, and never left behind. All of them are real, and small."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from local_runtime.errors import ProcessEnded, RunError
from local_runtime.processes import Command, Process, supervised, wait_until_healthy

ENVIRONMENT: Mapping[str, str] = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "programs")}


def _command(folder: Path, module: str, *arguments: str, ends: bool = False) -> Command:
    return Command(module, module, folder / f"{module}.log", ENVIRONMENT, arguments, speaks=True, ends=ends)


def _first_line(process: Process) -> bytes:
    """Its program has begun."""
    return next(process.lines())


def _wait_for_end(process: Process) -> int | None:
    for _ in process.lines():
        pass
    while process.exit_code is None:
        pass
    return process.exit_code


def test_a_child_has_a_session_of_its_own(tmp_path: Path) -> None:
    """Ctrl-C on the terminal reaches the supervisor only."""
    with supervised() as supervisor:
        process = supervisor.start(_command(tmp_path, "waits"))
        assert os.getsid(process.pid) == process.pid


def test_leaving_stops_what_was_started_last_first(tmp_path: Path) -> None:
    """Consumers end while the engine is still there."""
    order = tmp_path / "order"
    with supervised() as supervisor:
        for name in ("engine", "API", "consumer"):
            _first_line(supervisor.start(_command(tmp_path, "waits", name, str(order))))
    assert order.read_text().split() == ["consumer", "API", "engine"]


def test_a_child_that_will_not_end_is_killed(tmp_path: Path) -> None:
    """SIGTERM is asked first, and not for ever."""
    process = Process(_command(tmp_path, "stubborn"))
    _first_line(process)
    process.stop(seconds=0.1)
    assert process.exit_code == -signal.SIGKILL


def test_an_error_inside_stops_everything_too(tmp_path: Path) -> None:
    """A run that fails leaves nothing behind."""
    with pytest.raises(RunError), supervised() as supervisor:  # noqa: PT012 - the whole block is what is left
        process = supervisor.start(_command(tmp_path, "waits"))
        raise RunError("no")
    assert process.exit_code is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_being_asked_to_stop_ends_the_children(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, a supervisor above us, or the terminal's window closing."""
    with pytest.raises(KeyboardInterrupt), supervised() as supervisor:  # noqa: PT012 - the whole block is what is left
        process = supervisor.start(_command(tmp_path, "waits"))
        signal.raise_signal(number)
    assert process.exit_code is not None


def test_a_second_ctrl_c_does_not_cut_the_stopping_short(tmp_path: Path) -> None:
    """The child sends it while it is being stopped."""
    with supervised() as supervisor:
        process = supervisor.start(_command(tmp_path, "interrupts"))
        _first_line(process)
    assert process.exit_code == 0


def test_a_child_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    """SIGKILL leaves nobody to stop it; its stdout closes only when it is gone."""
    command = [sys.executable, "-m", "supervises", str(tmp_path / "child.log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT) as supervisor:
        assert supervisor.stdout is not None
        supervisor.stdout.readline()
        supervisor.kill()
        assert supervisor.stdout.read() == b""


def test_a_server_that_ends_by_itself_is_named_with_its_last_words(tmp_path: Path) -> None:
    """Its name, its exit code, its log and the end of that."""
    with supervised() as supervisor:
        process = supervisor.start(_command(tmp_path, "fails", "the disk is full"))
        _wait_for_end(process)
        with pytest.raises(ProcessEnded, match="fails ended by itself with exit code 3") as caught:
            supervisor.check()
    assert caught.value.log_tail == "the disk is full"


def test_a_process_that_may_end_is_no_fault(tmp_path: Path) -> None:
    """The client does its work and goes."""
    with supervised() as supervisor:
        process = supervisor.start(_command(tmp_path, "fails", "done", ends=True))
        _wait_for_end(process)
        supervisor.check()
        supervisor.release(process)
    assert process.exit_code == 3


def test_waiting_ends_with_the_process(tmp_path: Path) -> None:
    """A server that gives up at once is not waited for."""
    process = Process(_command(tmp_path, "fails", "no such port"))
    _wait_for_end(process)
    with pytest.raises(ProcessEnded):
        wait_until_healthy(process, "http://x", is_healthy=lambda _: False)
    process.stop()


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    """With a clock of our own, so that nobody waits here."""
    times = iter((0.0, 30.0, 61.0))
    process = Process(_command(tmp_path, "waits"))
    with pytest.raises(RunError, match="waits did not answer within 60 s"):
        wait_until_healthy(
            process, "http://x", is_healthy=lambda _: False, clock=lambda: next(times), sleep=lambda _: None
        )
    process.stop()
