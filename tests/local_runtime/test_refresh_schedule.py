"""While the pipeline serves, a refresh brings new objects into the lake every minute. Small programs stand for it."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from invoices.errors import Unavailable
from local_runtime.processes import Command, Process, Supervisor
from local_runtime.run import RefreshSchedule

pytestmark = pytest.mark.slow

ARGUMENTS = {"waits": (), "fails": ("a reason",)}


class NotingSupervisor(Supervisor):
    """Notes the processes that it has started."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[Process] = []

    def start(self, command: Command, listener: socket.socket | None = None) -> Process:
        self.started.append(super().start(command, listener))
        return self.started[-1]


@pytest.fixture
def supervisor() -> Iterator[NotingSupervisor]:
    supervisor = NotingSupervisor()
    yield supervisor
    supervisor.stop()


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def _schedule(
    supervisor: Supervisor, folder: Path, clock: Clock, program: str, has_work: Callable[[], bool] = lambda: True
) -> RefreshSchedule:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent / "programs")}
    command = Command("refresh", program, folder / "refresh.log", environment, ARGUMENTS[program], may_end=True)
    return RefreshSchedule(supervisor, command, has_work, clock)


def _poll_each_second(schedule: RefreshSchedule, clock: Clock, seconds: int) -> None:
    for _ in range(seconds):
        clock.seconds += 1
        assert schedule.poll() is None


def _fail() -> bool:
    raise Unavailable("no answer")


def test_one_refresh_at_a_time(supervisor: NotingSupervisor, tmp_path: Path) -> None:
    """The first one begins a minute after the start; no other begins while it runs."""
    clock = Clock()
    schedule = _schedule(supervisor, tmp_path, clock, "waits")
    _poll_each_second(schedule, clock, 59)
    assert supervisor.started == []
    _poll_each_second(schedule, clock, 121)
    assert len(supervisor.started) == 1


@pytest.mark.parametrize("has_work", [lambda: False, _fail])
def test_no_refresh_begins_while_nothing_waits_or_the_queue_does_not_answer(
    supervisor: NotingSupervisor, tmp_path: Path, has_work: Callable[[], bool]
) -> None:
    """A process a minute would keep an idle laptop awake."""
    clock = Clock()
    _poll_each_second(_schedule(supervisor, tmp_path, clock, "waits", has_work), clock, 180)
    assert supervisor.started == []


def test_after_a_failure_the_next_refresh_begins(supervisor: NotingSupervisor, tmp_path: Path) -> None:
    """The failed one has left its messages in the queue; the terminal names the log."""
    clock = Clock()
    schedule = _schedule(supervisor, tmp_path, clock, "fails")
    _poll_each_second(schedule, clock, 60)
    while supervisor.started[0].exit_code is None:
        time.sleep(0.01)
    assert str(tmp_path / "refresh.log") in str(schedule.poll())
    _poll_each_second(schedule, clock, 60)
    assert len(supervisor.started) == 2
