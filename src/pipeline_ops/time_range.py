"""A span of time as options say it: `--from` is inside it, `--to` is not; both are UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from pipeline_ops.errors import OpsError

From = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="From here on, UTC: 2026-11-22 or 2026-11-22T14.")
]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Up to here, not including it.")]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """None is no bound."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def is_everything(self) -> bool:
        return self.start is None and self.end is None

    def holds(self, moment: datetime) -> bool:
        return (self.start is None or self.start <= moment) and (self.end is None or moment < self.end)


EVERYTHING = TimeRange()


def time_range(start: str | None, end: str | None) -> TimeRange:
    """Raises OpsError for a text that is no time, or a range that is empty."""
    span = TimeRange(_moment(start, "--from"), _moment(end, "--to"))
    if span.start and span.end and span.start >= span.end:
        raise OpsError("--from must be before --to.")
    return span


def hour_range(start: str | None, end: str | None) -> TimeRange:
    """As `time_range`, for the archive's folders, which are hours."""
    span = time_range(start, end)
    for moment, option in ((span.start, "--from"), (span.end, "--to")):
        if moment and (moment.minute or moment.second or moment.microsecond):
            raise OpsError(f"{option} must be a full hour: the archive is filed by the hour.")
    return span


def _moment(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise OpsError(f"{option} must be a time like 2026-11-22 or 2026-11-22T14 (UTC).") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
