"""`--from` and `--to`."""

from datetime import UTC, datetime

import pytest

from pipeline_ops.errors import OpsError
from pipeline_ops.options import TimeRange, hour_range, time_range

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-22T12", "2026-11-22 12:00", "2026-11-22T13:00+01:00"])
def test_times(text: str) -> None:
    """UTC, unless it says otherwise."""
    assert time_range(text, None) == TimeRange(NOON, None)


@pytest.mark.parametrize(
    ("start", "end", "held"),
    [("2026-11-22T12", None, True), (None, "2026-11-22T12", False), (None, None, True), ("2026-11-23", None, False)],
)
def test_the_beginning_is_inside_and_the_end_is_not(start: str | None, end: str | None, held: bool) -> None:  # noqa: FBT001 - a case
    """So that one range's end is the next one's beginning."""
    assert time_range(start, end).contains(NOON) == held


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [("yesterday", None, "--from must be a time"), (None, "12", "--to must be a time"), ("2026", "2025", "must be")],
)
def test_what_is_no_range(start: str | None, end: str | None, reason: str) -> None:
    """The option is named."""
    with pytest.raises(OpsError, match=reason):
        time_range(start, end)


def test_an_empty_range() -> None:
    """Would find nothing, and look like nothing was there."""
    with pytest.raises(OpsError, match="--from must be before --to"):
        time_range("2026-11-22", "2026-11-22")


def test_the_archive_knows_hours_only() -> None:
    """The archive has folders by the hour."""
    with pytest.raises(OpsError, match="--to must be a full hour"):
        hour_range(None, "2026-11-22T12:30")
