"""`replay`: builds the tables from the archive with the consumer's own code. Items that exist already do not change."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.progress import Progress
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from aws.bucket import RAW, Bucket
from aws.clients import dynamodb_client, s3_client
from aws.erasures import ErasureList
from consumers.batch_loop import without_erased
from consumers.index import Index
from invoices.errors import Rejected, Retryable
from pipeline_ops.console import plural, progress_bar
from pipeline_ops.dead_letters import REDRIVEN_ROWS, read_redriven, without_customers
from pipeline_ops.errors import OpsError
from pipeline_ops.options import BucketName, CustomersTable, From, InvoicesTable, Settings, TimeRange, To, hour_range
from pipeline_ops.raw_objects import keys_of_hours, raw_keys, read_record

_ATTEMPTS = 8
_LONGEST_PAUSE_SECONDS = 30


class Target(BaseModel):
    """What a replay reads and where it writes. A progress file is valid for one target only."""

    model_config = ConfigDict(frozen=True)

    bucket: str
    invoices_table: str
    customers_table: str
    start: str | None = None
    end: str | None = None


def replay_command(  # noqa: PLR0913 - a command has its options as parameters
    *,
    start: From = None,
    end: To = None,
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="The most objects per second.", show_default="no limit")
    ] = None,
    progress: Annotated[
        Path, typer.Option(help="Stores how far the replay is, so that the next run continues; deleted at the end.")
    ] = Path("replay-progress.json"),
    bucket: BucketName = None,
    invoices_table: InvoicesTable = None,
    customers_table: CustomersTable = None,
) -> None:
    """Build the tables from the archive. Batches whose ids contain no time are stored under 1970-01-01."""
    settings = Settings(bucket=bucket, invoices_table=invoices_table, customers_table=customers_table)
    target = Target(
        bucket=settings.required_bucket(),
        invoices_table=settings.required_invoices_table(),
        customers_table=settings.required_customers_table(),
        start=start,
        end=end,
    )
    index = Index(dynamodb_client(), target.invoices_table, target.customers_table)
    replay = Replay(Bucket(s3_client(), target.bucket), index, pause_seconds=1 / rate if rate else 0)
    with progress_bar() as bar:
        counts = replay.run(hour_range(start, end), ProgressFile(progress, target), bar)
    typer.echo(
        f"Replayed {plural(counts.objects, 'object')} and {plural(counts.redriven_rows, 'redriven row')}. "
        f"Rejected again: {plural(counts.rejected_rows, 'row')} and {plural(counts.unreadable_objects, 'object')}."
    )
    if counts.erased_rows:
        typer.echo(f"Dropped {plural(counts.erased_rows, 'row')} of erased customers.")


@dataclass
class ReplayCounts:
    """An unreadable object contains no rows: the whole record became a dead letter when it first arrived."""

    objects: int = 0
    redriven_rows: int = 0
    rejected_rows: int = 0
    unreadable_objects: int = 0
    erased_rows: int = 0


class Replay:
    """`sleep` takes seconds. The replay pauses after each object, and before it retries one."""

    def __init__(
        self, bucket: Bucket, index: Index, pause_seconds: float = 0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._bucket = bucket
        self._index = index
        self._erasures = ErasureList(bucket)
        self._pause_seconds = pause_seconds
        self._sleep = sleep

    def run(self, span: TimeRange, progress_file: "ProgressFile", bar: Progress) -> ReplayCounts:
        """Raises Retryable if a service fails for long. The next run continues after the last finished object."""
        counts = ReplayCounts()
        keys = list(self._keys(span, progress_file.last_key()))
        for key in bar.track(keys, description="Archive, objects"):
            for attempt in self._attempts():
                with attempt:
                    self._add(key, counts)
            progress_file.save(key)
            self._sleep(self._pause_seconds)
        progress_file.delete()
        return counts

    def _keys(self, span: TimeRange, after: str) -> Iterator[str]:
        """In the order of the keys, so that one key says how far the replay is."""
        yield from keys_of_hours(self._bucket, REDRIVEN_ROWS, span, after)
        yield from raw_keys(self._bucket, span, after)

    def _attempts(self) -> Retrying:
        return Retrying(
            retry=retry_if_exception_type(Retryable),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(max=_LONGEST_PAUSE_SECONDS),
            sleep=self._sleep,
            reraise=True,
        )

    def _add(self, key: str, counts: ReplayCounts) -> None:
        if key.startswith(RAW):
            self._add_raw_object(key, counts)
        else:
            self._store_redriven(key, counts)

    def _store_redriven(self, key: str, counts: ReplayCounts) -> None:
        customers = self._erasures.covering_object(key)
        document = read_redriven(self._bucket, key)
        if customers:
            kept, erased = without_customers(document, customers)
            document = replace(document, rows=kept)
            counts.erased_rows += erased
        self._index.store(document.valid_rows(), document.batch_id, [row.number for row in document.rows])
        counts.redriven_rows += len(document.rows)

    def _add_raw_object(self, key: str, counts: ReplayCounts) -> None:
        record, erased = without_erased(read_record(self._bucket, key), self._erasures)
        counts.erased_rows += erased
        try:
            dead_letter = self._index.add(record).dead_letter
        except Rejected:
            counts.unreadable_objects += 1
        else:
            counts.rejected_rows += len({error.index for error in dead_letter.errors}) if dead_letter else 0
        counts.objects += 1


class _Progress(BaseModel):
    target: Target
    last_key: str


class ProgressFile:
    """The target and the last finished key. The file is always replaced as a whole, so it is never half written."""

    def __init__(self, path: Path, target: Target) -> None:
        self._path = path
        self._target = target

    def last_key(self) -> str:
        """Empty text where nothing is done yet. Raises OpsError for a file that is not of this replay."""
        try:
            progress = _Progress.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return ""
        except (OSError, ValidationError) as error:
            raise OpsError(
                f"{self._path.name} is not the progress file of a replay; choose another with --progress."
            ) from error
        if progress.target != self._target:
            raise OpsError(
                f"{self._path.name} is of a replay with other tables or times; choose another with --progress."
            )
        return progress.last_key

    def save(self, key: str) -> None:
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            new.write_text(_Progress(target=self._target, last_key=key).model_dump_json(indent=2))
            new.replace(self._path)
        except OSError as error:
            raise OpsError(f"{self._path} cannot be written: {error.strerror}.") from error

    def delete(self) -> None:
        """The next replay starts from the beginning."""
        self._path.unlink(missing_ok=True)
