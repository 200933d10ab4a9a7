"""How far the rows have come."""

import pytest

from local_runtime.upload import (
    Acknowledged,
    BatchAnswered,
    Progress,
    UploadSummary,
    lag_text,
    progress_line,
    progress_table,
)


def _answered(batch_id: str, rows: int = 10, accepted: int = 10, fraction: float = 0.5) -> BatchAnswered:
    return BatchAnswered("batch", batch_id, rows, accepted, rows - accepted, fraction)


def _acknowledged(*batch_ids: str, stage: str = "to_s3") -> Acknowledged:
    return Acknowledged(list(batch_ids), 1500, stage)


@pytest.fixture
def progress() -> Progress:
    return Progress(["to_s3", "to_dynamodb"])


def test_only_accepted_rows_of_a_batch_are_archived(progress: Progress) -> None:
    """A consumer acknowledges batches; their rows are what the API has accepted."""
    progress.note(_answered("a", rows=10, accepted=8), 1)
    progress.note(_acknowledged("a"), 2)
    assert [stage.rows for stage in progress.stages] == [10, 8, 8, 0]


def test_a_consumer_may_be_faster_than_the_answer(progress: Progress) -> None:
    """The record is in the stream before the client hears of it."""
    progress.note(_acknowledged("a"), 1)
    progress.note(_answered("a"), 2)
    assert progress.consumed["to_s3"].rows == 10


def test_a_batch_that_is_acknowledged_twice_counts_once(progress: Progress) -> None:
    """A second record of one batch, put after a lost acknowledgement, adds nothing."""
    progress.note(_answered("a"), 1)
    progress.note(_acknowledged("a"), 2)
    progress.note(_acknowledged("a"), 3)
    assert progress.consumed["to_s3"].rows == 10


def test_the_run_waits_for_the_slowest_consumer(progress: Progress) -> None:
    """Rows are missing until each consumer has acknowledged them."""
    progress.note(_answered("a"), 1)
    progress.note(_acknowledged("a"), 2)
    before = progress.missing_rows
    progress.note(_acknowledged("a", stage="to_dynamodb"), 3)
    assert (before, progress.missing_rows) == (10, 0)


def test_the_run_does_not_wait_for_what_was_discarded(progress: Progress) -> None:
    """It lies in the on-failure destination, and the report will miss it."""
    progress.note(_answered("a"), 1)
    for stage in ("to_s3", "to_dynamodb"):
        progress.note(Acknowledged([], 0, stage, discarded=["a"]), 2)
    assert (progress.missing_rows, progress.consumed["to_s3"].rows) == (0, 0)


def test_the_total_is_estimated_until_it_is_known(progress: Progress) -> None:
    """Half of the file for 10 rows makes 20; the client's summary says what it was."""
    progress.note(_answered("a", fraction=0.5), 1)
    estimated = progress.total
    progress.note(UploadSummary("summary", 23, 23, 0, 0, 1.0), 2)
    assert (estimated, progress.total) == (20, 23)


def test_speed_counts_from_the_start_to_the_last_row(progress: Progress) -> None:
    """Time in which nothing is left to do makes no stage slower."""
    progress.note(_answered("a"), 2)
    progress.note(_acknowledged("a"), 4)
    assert tuple(stage.rows_per_second for stage in (progress.accepted, *progress.consumed.values())) == (5.0, 2.5, 0.0)


def test_a_plain_line_names_every_stage(progress: Progress) -> None:
    """What a log shows in place of bars."""
    progress.note(_answered("a"), 2)
    progress.note(_acknowledged("a"), 4)
    expected = "5 s  sent 10 (5/s), accepted 10 (5/s), archived 10 (2/s), indexed 0 (0/s), archived lag 1.5 s"
    assert expected == progress_line(progress, 5)


def test_the_live_table_has_a_row_for_each_stage(progress: Progress) -> None:
    """A stage that has not said anything has no lag."""
    assert (progress_table(progress, 0).row_count, lag_text(progress.sent)) == (4, "")
