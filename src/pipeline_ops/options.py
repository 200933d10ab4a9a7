"""Options that several commands share: the stores, the stream, and a range of time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel, ConfigDict

from aws.bucket import Bucket
from aws.clients import kinesis_client
from aws.stream import PutRecord, Stream
from pipeline_ops.errors import OpsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from consumers.lake.table import LakeTable

BucketName = Annotated[
    str | None, typer.Option("--bucket", envvar="RAW_BUCKET", help="The bucket with raw/ and failed/.")
]
InvoicesTable = Annotated[str | None, typer.Option(envvar="INVOICES_TABLE", help="The table of slices.")]
BatchesTable = Annotated[str | None, typer.Option(envvar="BATCHES_TABLE", help="The table of receipts.")]
ReceiptDays = Annotated[
    int, typer.Option(envvar="RECEIPT_RETENTION_DAYS", min=1, help="Days for which a receipt is kept.")
]
CustomersTable = Annotated[str | None, typer.Option(envvar="CUSTOMERS_TABLE", help="The table of pointers.")]

StreamName = Annotated[str | None, typer.Option("--stream", envvar="STREAM_NAME", help="The stream of the batches.")]

From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="TIME", help="Start, inclusive, UTC: 2026-11-22 or 2026-11-22T14.", show_default="the first"
    ),
]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="End, exclusive, UTC.", show_default="the last")]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="A new value for this field.", show_default="as it is"),
]
OnlyRows = Annotated[
    list[int] | None,
    typer.Option("--row", help="Only the row with this index; may be repeated.", show_default="all"),
]


class Settings(BaseModel):
    """Each name may be missing until a command requires it: `failed list` needs only the bucket."""

    model_config = ConfigDict(frozen=True)

    bucket: str | None = None
    invoices_table: str | None = None
    customers_table: str | None = None

    def required_bucket(self) -> str:
        return required(self.bucket, "bucket", "RAW_BUCKET")

    def required_invoices_table(self) -> str:
        return required(self.invoices_table, "invoices-table", "INVOICES_TABLE")

    def required_customers_table(self) -> str:
        return required(self.customers_table, "customers-table", "CUSTOMERS_TABLE")


def required(value: str | None, option: str, variable: str) -> str:
    """The value. Raises OpsError that names both ways to give one."""
    if not value:
        raise OpsError(f"Give --{option} NAME, or set {variable}.")
    return value


def record_putter(stream: str | None) -> PutRecord:
    """Raises OpsError where no stream is named."""
    return Stream(kinesis_client(), required(stream, "stream", "STREAM_NAME")).put


@dataclass(frozen=True)
class Stores:
    """The bucket and the tables, with the clients that reach them. `lake` is None where there is no lake."""

    bucket: Bucket
    dynamodb: "DynamoDBClient"
    invoices_table: str
    customers_table: str
    lake: "LakeTable | None" = None


@dataclass(frozen=True, slots=True)
class TimeRange:
    """`start` is inclusive, `end` exclusive; None means no limit."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def is_everything(self) -> bool:
        return self.start is None and self.end is None

    def contains(self, moment: datetime) -> bool:
        return (self.start is None or self.start <= moment) and (self.end is None or moment < self.end)


EVERYTHING = TimeRange()


def time_range(start: str | None, end: str | None) -> TimeRange:
    """Raises OpsError for text that is not a time, and for an empty range."""
    span = TimeRange(_parse_time(start, "--from"), _parse_time(end, "--to"))
    if span.start and span.end and span.start >= span.end:
        raise OpsError("--from must be before --to.")
    return span


def hour_range(start: str | None, end: str | None) -> TimeRange:
    """Like time_range, but only full hours, because the archive has one folder for each hour."""
    span = time_range(start, end)
    for moment, option in ((span.start, "--from"), (span.end, "--to")):
        if moment and (moment.minute or moment.second or moment.microsecond):
            raise OpsError(f"{option} must be a full hour: the archive has one folder for each hour.")
    return span


def _parse_time(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise OpsError(f"{option} must be a time like 2026-11-22 or 2026-11-22T14 (UTC).") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
