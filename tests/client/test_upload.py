"""The stats know for each row whether it has a response."""

import pytest

from client.api import IngestResponse
from client.batches import Batch, BrokenRows
from client.records import BrokenRow
from client.upload import LineRange, UploadStats
from tests.client.made_rows import made_rows


def _batch(key: str, *lines: int) -> Batch:
    return Batch(key, 0, made_rows("A" * len(lines), lines=lines), b"body")


def _count(stats: UploadStats, batch: Batch, accepted: int, rejected: int) -> None:
    stats.count(batch.answered(IngestResponse(accepted=accepted, rejected=rejected, errors=[])))


def _stats(*batches: Batch) -> UploadStats:
    stats = UploadStats()
    for batch in batches:
        stats.add(batch)
    return stats


def test_lines_between_answered_batches_are_named_exactly() -> None:
    """A batch without an answer is a hole, and so is the rest of a file that was not read."""
    first, second, third = _batch("1", 2, 3), _batch("2", 4, 6), _batch("3", 7, 9)
    stats = _stats(first, second, third)
    _count(stats, first, 2, 0)
    _count(stats, third, 1, 1)
    assert stats.not_sent_lines() == [LineRange(4, 6), LineRange(10, None)]
    assert (stats.rows_read, stats.accepted, stats.rejected, stats.not_sent) == (6, 3, 1, 2)


def test_neighbouring_holes_are_one() -> None:
    """The user reads as few ranges as there are."""
    stats = _stats(_batch("1", 2, 3), _batch("2", 4, 6))
    assert stats.not_sent_lines() == [LineRange(2, None)]


def test_half_a_batch_can_have_its_answer() -> None:
    """After a split each half counts alone."""
    whole, left, right = _batch("1", 2, 3, 4, 5), _batch("2", 2, 3), _batch("3", 4, 5)
    stats = _stats(whole)
    stats.replace(whole, [left, right])
    _count(stats, left, 2, 0)
    stats.read_to_end = True
    assert stats.not_sent_lines() == [LineRange(4, 5)]


def test_broken_rows_are_read_and_rejected() -> None:
    """They have their answer without being sent."""
    stats = UploadStats()
    stats.add(BrokenRows([BrokenRow(2, "it is broken", b"x")]))
    assert (stats.rows_read, stats.rejected, stats.not_sent) == (1, 1, 0)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (LineRange(4, 4), "line 4"),
        (LineRange(4, 6000), "lines 4 to 6,000"),
        (LineRange(4, None), "line 4 to the end of the file"),
    ],
)
def test_ranges_can_be_read(lines: LineRange, text: str) -> None:
    """As they stand in the summary."""
    assert str(lines) == text
