"""Following the client and the consumers, with small real processes in their place."""

import os
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from queue import SimpleQueue

import pytest

from local_runtime.errors import ProcessEnded, RunError
from local_runtime.processes import Command, Process, Supervisor, supervised
from local_runtime.upload import Acknowledged, Follower, Inbox, Progress, Upload, from_client, from_consumer

ENVIRONMENT: Mapping[str, str] = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "programs")}
BATCH = '{"event":"batch","batch_id":"a","rows":10,"accepted":10,"rejected":0,"file_fraction":1.0,"more":1}'
SUMMARY = '{"event":"summary","rows_read":10,"accepted":10,"rejected":0,"not_sent":0,"seconds":1.5,"rejects_file":null}'


def _client(supervisor: Supervisor, folder: Path, *lines: str) -> Process:
    arguments = (*lines, "exit code 0")
    command = Command("the client", "says", folder / "client.log", ENVIRONMENT, arguments, speaks=True, ends=True)
    return supervisor.start(command)


def _clock() -> Callable[[], float]:
    """Every look at it is a second later."""
    return map(float, count()).__next__


def _follow(folder: Path, inbox: Inbox, *lines: str) -> tuple[Upload, Progress]:
    progress = Progress(["to_s3"])
    with supervised() as supervisor:
        follower = Follower(supervisor, inbox, progress, clock=_clock(), patience=5)
        upload = follower.follow(_client(supervisor, folder, *lines), lambda _progress, _seconds: None)
    return upload, progress


def test_it_ends_when_the_consumers_have_caught_up(tmp_path: Path) -> None:
    """No fixed wait: the last acknowledgement is the end."""
    inbox: Inbox = SimpleQueue()
    inbox.put(Acknowledged(["a"], 100, "to_s3"))
    upload, progress = _follow(tmp_path, inbox, BATCH, SUMMARY)
    assert (upload.exit_code, upload.stalled, progress.missing_rows) == (0, False, 0)


def test_it_gives_up_when_nothing_moves(tmp_path: Path) -> None:
    """Only after its patience, and it says so."""
    upload, progress = _follow(tmp_path, SimpleQueue(), BATCH, SUMMARY)
    assert (upload.stalled, progress.missing_rows) == (True, 10)


def test_what_the_client_complains_of_is_kept(tmp_path: Path) -> None:
    """Its stderr and its exit code, as they were."""
    upload, progress = _follow(tmp_path, SimpleQueue(), "stderr no column Country", "exit code 2")
    assert (upload.complaint, upload.exit_code, progress.summary) == ("no column Country", 2, None)


def test_a_server_that_dies_meanwhile_ends_it(tmp_path: Path) -> None:
    """Not after a minute of silence, but at once."""
    with supervised() as supervisor:
        supervisor.start(Command("the API", "fails", tmp_path / "api.log", ENVIRONMENT, ("no memory",)))
        follower = Follower(supervisor, SimpleQueue(), Progress(["to_s3"]), patience=5)
        client = _client(supervisor, tmp_path, BATCH)
        with pytest.raises(ProcessEnded, match="the API ended by itself"):
            follower.follow(client, lambda _progress, _seconds: None)


def test_a_line_that_is_no_message_is_an_error(tmp_path: Path) -> None:
    """Better than a figure that is silently too low."""
    with pytest.raises(RunError, match="the client said something on stdout that is no message"):
        _follow(tmp_path, SimpleQueue(), "hello")


def test_a_consumers_message_bears_its_stage() -> None:
    """Each consumer has a stdout of its own."""
    message = from_consumer("to_s3")(b'{"acknowledged": ["a"], "iterator_age_ms": 3, "discarded": ["a"]}')
    assert message == Acknowledged(["a"], 3, "to_s3", discarded=["a"])


def test_a_clients_event_is_told_by_its_name() -> None:
    """Fields that we do not use are passed over."""
    names = [type(from_client(line.encode())).__name__ for line in (BATCH, SUMMARY)]
    assert names == ["BatchAnswered", "UploadSummary"]
