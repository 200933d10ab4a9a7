"""A span of time as options say it: `--from` is inside it, `--to` is not; both are UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel, ConfigDict

from pipeline_ops.errors import OpsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

# Where things are kept: what the options say, else the functions' own environment variables.

Bucket = Annotated[str | None, typer.Option(envvar="RAW_BUCKET", help="The bucket with raw/ and failed/.")]
InvoicesTable = Annotated[str | None, typer.Option(envvar="INVOICES_TABLE", help="The table of slices.")]
CustomersTable = Annotated[str | None, typer.Option(envvar="CUSTOMERS_TABLE", help="The table of pointers.")]


class Settings(BaseModel):
    """Names are checked when they are asked for: `failed list` needs the bucket alone."""

    model_config = ConfigDict(frozen=True)

    bucket: str | None = None
    invoices_table: str | None = None
    customers_table: str | None = None

    def named_bucket(self) -> str:
        return _given(self.bucket, "bucket", "RAW_BUCKET")

    def named_invoices_table(self) -> str:
        return _given(self.invoices_table, "invoices-table", "INVOICES_TABLE")

    def named_customers_table(self) -> str:
        return _given(self.customers_table, "customers-table", "CUSTOMERS_TABLE")


def _given(value: str | None, option: str, variable: str) -> str:
    if not value:
        raise OpsError(f"Give --{option} NAME, or set {variable}.")
    return value


# The bucket and the tables, each with the client that reads it.


@dataclass(frozen=True)
class Stores:
    s3: "S3Client"
    bucket: str
    dynamodb: "DynamoDBClient"
    invoices_table: str
    customers_table: str


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
