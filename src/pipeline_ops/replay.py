"""`replay`."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel, ConfigDict, ValidationError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from aws.clients import dynamodb_client, s3_client
from consumers.index import Index
from invoices.errors import Rejected, Retryable
from pipeline_ops import bucket as documents
from pipeline_ops.bucket import RAW, keys_of_hours, raw_keys, read_record
from pipeline_ops.console import Pace, Watch, progress_bar, watched_on
from pipeline_ops.errors import OpsError
from pipeline_ops.options import Bucket, CustomersTable, From, InvoicesTable, Settings, TimeRange, To, hour_range

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# How far a replay came, in a small file: what it was asked for, and the last key that is done.


class Target(BaseModel):
    """What a replay reads and where it writes: a file of another target is not gone on with."""

    model_config = ConfigDict(frozen=True)

    bucket: str
    invoices_table: str
    customers_table: str
    start: str | None = None
    end: str | None = None


class _Done(BaseModel):
    target: Target
    last_key: str


class ProgressFile:
    """Replaced as a whole after each object, so that it is never half written."""

    def __init__(self, path: Path, target: Target) -> None:
        self._path = path
        self._target = target

    def last_key(self) -> str:
        """Empty text if nothing is done yet. Raises OpsError for a file that is not of this replay."""
        try:
            done = _Done.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return ""
        except (OSError, ValidationError) as error:
            raise OpsError(
                f"{self._path.name} is no progress file of a replay; name another with --progress."
            ) from error
        if done.target != self._target:
            raise OpsError(
                f"{self._path.name} is of a replay with other tables or times; name another with --progress."
            )
        return done.last_key

    def done(self, key: str) -> None:
        beside = self._path.with_name(f"{self._path.name}.new")
        try:
            beside.write_text(_Done(target=self._target, last_key=key).model_dump_json(indent=2))
            beside.replace(self._path)
        except OSError as error:
            raise OpsError(f"{self._path} cannot be written: {error.strerror}.") from error

    def finished(self) -> None:
        """The next replay starts from the beginning."""
        self._path.unlink(missing_ok=True)


# Builds the tables from the archive, with the consumer's own code: what is there already stays as it is.

_ATTEMPTS = 8
_LONGEST_PAUSE_SECONDS = 30


@dataclass
class Replayed:
    """`unreadable` are the objects that hold no rows at all: they were set aside as a whole when they first came."""

    objects: int = 0
    redriven: int = 0
    refused_rows: int = 0
    unreadable: int = 0


class Replay:
    def __init__(self, s3: "S3Client", bucket: str, index: Index, sleep: Callable[[float], None] = time.sleep) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._index = index
        self._sleep = sleep

    def run(self, span: TimeRange, progress: ProgressFile, pace: Pace, watch: Watch) -> Replayed:
        """Raises Retryable if a service fails for long: the next run goes on behind the last object that is done."""
        replayed = Replayed()
        keys = list(self._keys(span, progress.last_key()))
        for key in pace(watch(keys, "Archive, objects", len(keys))):
            for attempt in self._attempts():
                with attempt:
                    self._add(key, replayed)
            progress.done(key)
        progress.finished()
        return replayed

    def _keys(self, span: TimeRange, after: str) -> Iterator[str]:
        """In the order of the keys, so that one key says what is done."""
        yield from keys_of_hours(self._s3, self._bucket, documents.REDRIVEN_ROWS, span, after)
        yield from raw_keys(self._s3, self._bucket, span, after)

    def _attempts(self) -> Retrying:
        return Retrying(
            retry=retry_if_exception_type(Retryable),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(max=_LONGEST_PAUSE_SECONDS),
            sleep=self._sleep,
            reraise=True,
        )

    def _add(self, key: str, replayed: Replayed) -> None:
        if key.startswith(RAW):
            self._add_raw(key, replayed)
        else:
            document = documents.read_redriven(self._s3, self._bucket, key)
            self._index.store(document.valid_rows(), document.batch_id)
            replayed.redriven += len(document.rows)

    def _add_raw(self, key: str, replayed: Replayed) -> None:
        try:
            set_aside = self._index.add(read_record(self._s3, self._bucket, key))
        except Rejected:
            replayed.unreadable += 1
        else:
            replayed.refused_rows += len({error.index for error in set_aside.errors}) if set_aside else 0
        replayed.objects += 1


def replay_command(  # noqa: PLR0913 - a command has its options as parameters
    *,
    start: From = None,
    end: To = None,
    rate: Annotated[float | None, typer.Option(min=0.001, help="At most so many objects a second.")] = None,
    progress: Annotated[Path, typer.Option(help="Remembers how far it came; removed at the end.")] = Path(
        "replay-progress.json"
    ),
    bucket: Bucket = None,
    invoices_table: InvoicesTable = None,
    customers_table: CustomersTable = None,
) -> None:
    """Build the tables from the archive. Batches whose names have no time are under 1970-01-01."""
    settings = Settings(bucket=bucket, invoices_table=invoices_table, customers_table=customers_table)
    target = Target(
        bucket=settings.named_bucket(),
        invoices_table=settings.named_invoices_table(),
        customers_table=settings.named_customers_table(),
        start=start,
        end=end,
    )
    index = Index(dynamodb_client(), target.invoices_table, target.customers_table)
    with progress_bar() as bar:
        replayed = Replay(s3_client(), target.bucket, index).run(
            hour_range(start, end), ProgressFile(progress, target), Pace(rate), watched_on(bar)
        )
    typer.echo(
        f"{replayed.objects:,} objects and {replayed.redriven:,} redriven rows replayed; "
        f"{replayed.refused_rows:,} rows and {replayed.unreadable:,} objects were refused as before."
    )
