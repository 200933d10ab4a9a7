"""The progress of an upload, and its end. Small real processes stand for the client and the servers."""

import os
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from queue import SimpleQueue

import pytest

from local_runtime.errors import ProcessEnded, RunError
from local_runtime.messages import BatchResult, ConsumerCheckpoint, Inbox, UploadSummary
from local_runtime.processes import Command, Process, Supervisor, supervise
from local_runtime.upload import Progress, UploadMonitor, UploadResult, lag_text, progress_line, progress_table

ENVIRONMENT: Mapping[str, str] = {**os.environ, "PYTHONPATH": str(Path(__file__).parent / "programs")}
BATCH = '{"event":"batch","batch_id":"a","rows":10,"accepted":10,"rejected":0,"file_fraction":1.0}'
SUMMARY = '{"event":"summary","rows_read":10,"accepted":10,"rejected":0,"not_sent":0,"seconds":1.5,"rejects_file":null}'


@pytest.fixture
def progress() -> Progress:
    return Progress(["to_s3", "to_dynamodb"])


def _result(batch_id: str, rows: int = 10, accepted: int = 10, fraction: float = 0.5) -> BatchResult:
    return BatchResult("batch", batch_id, rows, accepted, rows - accepted, fraction)


def _checkpoint(*batch_ids: str, stage: str = "to_s3") -> ConsumerCheckpoint:
    return ConsumerCheckpoint(list(batch_ids), 1500, stage)


def _client(supervisor: Supervisor, folder: Path, *lines: str) -> Process:
    arguments = (*lines, "exit code 0")
    command = Command(
        "the client", "says", folder / "client.log", ENVIRONMENT, arguments, pipes_stdout=True, may_end=True
    )
    return supervisor.start(command)


def _clock() -> Callable[[], float]:
    """A clock on which each call is one second later than the one before."""
    return map(float, count()).__next__


def _upload(folder: Path, inbox: Inbox, *lines: str) -> tuple[UploadResult, Progress]:
    progress = Progress(["to_s3"])
    with supervise() as supervisor:
        monitor = UploadMonitor(supervisor, inbox, progress, clock=_clock(), stall_seconds=5)
        result = monitor.wait(_client(supervisor, folder, *lines), lambda _progress, _seconds: None)
    return result, progress


def test_only_the_accepted_rows_of_a_batch_are_archived(progress: Progress) -> None:
    """A consumer acknowledges a whole batch. The API's response says how many of its rows were accepted."""
    progress.add(_result("a", rows=10, accepted=8), 1)
    progress.add(_checkpoint("a"), 2)
    assert [stage.rows for stage in progress.stages] == [10, 8, 8, 0]


def test_a_consumer_may_be_faster_than_the_response(progress: Progress) -> None:
    """The record is in the stream before the client has its response."""
    progress.add(_checkpoint("a"), 1)
    progress.add(_result("a"), 2)
    assert progress.consumed["to_s3"].rows == 10


def test_a_batch_that_is_acknowledged_twice_counts_once(progress: Progress) -> None:
    """A second record of the same batch, put after a lost acknowledgement, adds nothing."""
    progress.add(_result("a"), 1)
    progress.add(_checkpoint("a"), 2)
    progress.add(_checkpoint("a"), 3)
    assert progress.consumed["to_s3"].rows == 10


def test_rows_are_pending_until_every_consumer_has_acknowledged_them(progress: Progress) -> None:
    """The run waits for the slowest consumer."""
    progress.add(_result("a"), 1)
    progress.add(_checkpoint("a"), 2)
    before = progress.pending_rows
    progress.add(_checkpoint("a", stage="to_dynamodb"), 3)
    assert (before, progress.pending_rows) == (10, 0)


def test_discarded_rows_are_not_pending(progress: Progress) -> None:
    """They are in the on-failure destination, and the report will show that they are missing."""
    progress.add(_result("a"), 1)
    for stage in ("to_s3", "to_dynamodb"):
        progress.add(ConsumerCheckpoint([], 0, stage, discarded=["a"]), 2)
    assert (progress.pending_rows, progress.consumed["to_s3"].rows) == (0, 0)


def test_the_total_is_estimated_until_it_is_known(progress: Progress) -> None:
    """10 rows are half of the file, so it has 20; the client's summary has the true number."""
    progress.add(_result("a", fraction=0.5), 1)
    estimate = progress.total
    progress.add(UploadSummary("summary", 23, 23, 0, 0, 1.0), 2)
    assert (estimate, progress.total) == (20, 23)


def test_speed_counts_from_the_start_to_the_last_row(progress: Progress) -> None:
    """A stage does not become slower while it has nothing to do."""
    progress.add(_result("a"), 2)
    progress.add(_checkpoint("a"), 4)
    assert progress.rows_per_second == {"sent": 5.0, "accepted": 5.0, "archived": 2.5, "indexed": 0.0}


def test_a_plain_line_names_every_stage(progress: Progress) -> None:
    """It replaces the table in a log."""
    progress.add(_result("a"), 2)
    progress.add(_checkpoint("a"), 4)
    expected = "5 s  sent 10 (5/s), accepted 10 (5/s), archived 10 (2/s), indexed 0 (0/s), archived lag 1.5 s"
    assert expected == progress_line(progress, 5)


def test_the_table_has_a_row_for_each_stage(progress: Progress) -> None:
    """A stage without a checkpoint has no lag."""
    assert (progress_table(progress, 0).row_count, lag_text(progress.sent)) == (4, "")


def test_the_upload_ends_when_the_consumers_have_caught_up(tmp_path: Path) -> None:
    """There is no fixed wait: the last acknowledgement is the end."""
    inbox: Inbox = SimpleQueue()
    inbox.put(ConsumerCheckpoint(["a"], 100, "to_s3"))
    result, progress = _upload(tmp_path, inbox, BATCH, SUMMARY)
    assert (result.exit_code, result.has_stalled, progress.pending_rows) == (0, False, 0)


def test_the_upload_ends_when_there_is_no_progress(tmp_path: Path) -> None:
    """It ends after `stall_seconds`, and the result says so."""
    result, progress = _upload(tmp_path, SimpleQueue(), BATCH, SUMMARY)
    assert (result.has_stalled, progress.pending_rows) == (True, 10)


def test_the_result_has_the_clients_errors(tmp_path: Path) -> None:
    """It has the client's stderr and exit code, unchanged."""
    result, progress = _upload(tmp_path, SimpleQueue(), "stderr no column Country", "exit code 2")
    assert (result.client_errors, result.exit_code, progress.summary) == ("no column Country", 2, None)


def test_a_server_that_ends_meanwhile_is_an_error(tmp_path: Path) -> None:
    """It is raised although `stall_seconds` never pass on this clock."""
    with supervise() as supervisor:
        supervisor.start(Command("the API", "fails", tmp_path / "api.log", ENVIRONMENT, ("no memory",)))
        monitor = UploadMonitor(supervisor, SimpleQueue(), Progress(["to_s3"]), clock=lambda: 0.0, stall_seconds=5)
        client = _client(supervisor, tmp_path, BATCH)
        with pytest.raises(ProcessEnded, match="the API ended unexpectedly"):
            monitor.wait(client, lambda _progress, _seconds: None)


def test_an_error_in_the_inbox_is_raised(tmp_path: Path) -> None:
    """A line that is not a message puts one there."""
    with pytest.raises(RunError, match="the client wrote a line to stdout"):
        _upload(tmp_path, SimpleQueue(), "hello")
