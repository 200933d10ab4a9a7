"""The lake's table: Delta Lake at `lines/` in the lake's bucket, with some data files for each month of InvoiceDate.

The library deltalake writes the log, and the log only: a commit names the data files that hold from now on. It is
made on condition that nobody committed since the snapshot was taken, and is never rebased onto another commit: a
month that was united with an old version of itself would lose or double lines.
"""

import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from botocore.credentials import Credentials
from botocore.exceptions import ClientError, NoCredentialsError
from deltalake import CommitProperties, DeltaTable, Field, PostCommitHookProperties, Schema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction

from aws.bucket import Bucket
from aws.clients import session
from aws.errors import error_code, translate_errors
from invoices.errors import Retryable, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

COLUMNS: Final[Mapping[str, str]] = {
    "InvoiceNo": "string",
    "StockCode": "string",
    "Description": "string",
    "Quantity": "integer",
    "InvoiceDate": "timestamp",
    "IsUtc": "boolean",
    "UnitPrice": "decimal(15,6)",
    "Amount": "decimal(24,6)",
    "CustomerID": "string",
    "Country": "string",
    "Occurrence": "integer",
    "LineId": "string",
    "StatedAt": "timestamp",
    "Withdrawn": "boolean",
}
"""The columns of a data file and their Delta types. InvoiceDate is the wall clock's time, stored as if it were UTC;
IsUtc says whether it was. LineId is there only where Occurrence is missing: elsewhere the content identifies the line.
StatedAt (the AsOf of a row, which is a keyword of SQL) and Withdrawn are what holds of the line. A withdrawn row stays,
so that nothing brings its line back.

A column may be added at the end. The next commit then adds it to the table, and it is null in data files without it.
"""

_DUCKDB_TYPES = {"string": "VARCHAR", "integer": "INTEGER", "timestamp": "TIMESTAMPTZ", "boolean": "BOOLEAN"}
DUCKDB_TYPES: Final[Mapping[str, str]] = {name: _DUCKDB_TYPES.get(kind, kind) for name, kind in COLUMNS.items()}

MONTH: Final = "month"
_FOLDER = "lines"
_NO_MONTH = "none"
_CHECKPOINT_EVERY = 10
_GRACE_HOURS = 24
GRACE: Final = timedelta(hours=_GRACE_HOURS)
"""A vacuum deletes nothing younger: a refresh that runs now has files that it has yet to commit, and a reader may hold
a version of today."""

_CONFIGURATION: dict[str, str | None] = {
    "delta.checkpointInterval": str(_CHECKPOINT_EVERY),
    "delta.logRetentionDuration": f"interval {_GRACE_HOURS} hours",
    "delta.deletedFileRetentionDuration": f"interval {_GRACE_HOURS} hours",
    # Statistics go into the log, which outlives the rows: no customer's number and no description may be among them.
    "delta.dataSkippingStatsColumns": "InvoiceDate",
}


class LakeChanged(Retryable):
    """A newer version is or may be there: another writer committed, or a commit's result is unknown. Begin again with
    a new snapshot.
    """


class NewerTable(Exception):
    """The table has a column that this program does not know, so it would lose that column's values."""


@dataclass(frozen=True, slots=True)
class MonthFile:
    """One of a month's data files. `path` is below the table's folder."""

    month: str
    path: str
    rows: int
    size: int


def new_file(month: str, rows: int, local: Path) -> MonthFile:
    """The data file that a local file will become. Its path is new; nothing is uploaded yet."""
    return MonthFile(month, f"{MONTH}={month}/{uuid4()}.parquet", rows, local.stat().st_size)


@dataclass(frozen=True)
class Snapshot:
    """One version of the table. `months` are the data files of each month, which have no line in common."""

    version: int
    committed_at: datetime
    months: Mapping[str, Sequence[MonthFile]]
    delta: DeltaTable

    @property
    def files(self) -> list[MonthFile]:
        return [file for files in self.months.values() for file in files]

    @property
    def paths(self) -> dict[str, list[str]]:
        return {month: [file.path for file in files] for month, files in self.months.items()}

    @property
    def columns(self) -> set[str]:
        return {field.name for field in self.delta.schema().fields}


class LakeTable:
    """The table, which the first snapshot creates. Every method raises Retryable where S3 fails."""

    def __init__(self, s3: "S3Client", bucket: str, credentials: Credentials | None = None) -> None:
        """Without `credentials` those of the process are used; the client `s3` has its own."""
        self._s3 = s3
        self._bucket = bucket
        self._credentials = credentials

    def snapshot(self) -> Snapshot:
        """The newest version."""
        with _translate_errors():
            try:
                return _snapshot(self._open())
            except TableNotFoundError:
                self._create()
                return _snapshot(self._open())

    def exists(self) -> bool:
        with _translate_errors():
            return DeltaTable.is_deltatable(self._uri, storage_options=self._options)

    def read(self, file: MonthFile) -> bytes:
        """Raises LakeChanged where the file is gone: an erasure deletes those that a new version does not name."""
        try:
            with translate_errors("S3"):
                return self._s3.get_object(Bucket=self._bucket, Key=f"{_FOLDER}/{file.path}")["Body"].read()
        except ClientError as error:
            if error_code(error) != "NoSuchKey":
                raise
            raise LakeChanged("a data file of the lake is gone, because the table has a new version") from error

    def download(self, files: Sequence[MonthFile], folder: Path) -> list[Path]:
        """Copies in `folder`, which replace those of an earlier call."""
        paths = [folder / f"{number}.parquet" for number in range(len(files))]
        for file, path in zip(files, paths, strict=True):
            path.write_bytes(self.read(file))
        return paths

    def unnamed_files(self, snapshot: Snapshot) -> list[MonthFile]:
        """Data files that this version does not name: of older versions, of a refresh that runs, or of a dead one."""
        named = {file.path for file in snapshot.files}
        listed = Bucket(self._s3, self._bucket).objects(f"{_FOLDER}/{MONTH}=")
        paths = [each.key.removeprefix(f"{_FOLDER}/") for each in listed]
        return [
            MonthFile(path.partition("/")[0].removeprefix(f"{MONTH}="), path, rows=0, size=0)
            for path in paths
            if path not in named
        ]

    def delete(self, file: MonthFile) -> None:
        """Readers of a version that names the file fail from now on."""
        Bucket(self._s3, self._bucket).delete(f"{_FOLDER}/{file.path}")

    def write(self, file: MonthFile, data: bytes) -> None:
        """Upload a data file. Nobody reads it before a commit names it."""
        with translate_errors("S3"):
            self._s3.put_object(Bucket=self._bucket, Key=f"{_FOLDER}/{file.path}", Body=data)

    def commit(self, snapshot: Snapshot, files: Sequence[MonthFile], replaced: Sequence[str] = ()) -> None:
        """Add `files`, and take out what was there of the months `replaced`, all in one version.

        Raises LakeChanged unless `snapshot` is the newest version still. After an unclear answer, too: the commit
        may have been made, and a retry with a new snapshot finds the lines. Raises NewerTable, too.
        """
        if unknown := snapshot.columns - {*COLUMNS, MONTH}:
            raise NewerTable(f"the lake's table has columns of a newer version: {', '.join(sorted(unknown))}")
        try:
            snapshot.delta.create_write_transaction(
                [_addition(file) for file in files],
                mode="overwrite",  # also where nothing is: an append would not add a new column to the table
                schema=_schema(),
                partition_by=[MONTH],
                partition_filters=[(MONTH, "in", list(replaced) or [_NO_MONTH])],
                commit_properties=CommitProperties(max_commit_retries=0),
                # A checkpoint is one more object. Old log entries are the vacuum's: only it may delete.
                post_commithook_properties=PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False),
            )
        except (CommitFailedError, DeltaError, OSError) as error:
            raise LakeChanged("the lake's table has a new version, or S3 did not answer clearly") from error

    def vacuum(self, grace: timedelta) -> int:
        """Delete data files that no version within `grace` names, and log entries older than that.

        Files that were never committed go, too; so a refresh must be over within `grace`. Full hours only.
        """
        with _translate_errors():
            delta = self._open()
            hours = int(grace.total_seconds() // 3600)
            deleted = delta.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True)
            delta.cleanup_metadata()
        return len(deleted)

    @property
    def _options(self) -> dict[str, str]:
        return _object_store_options(self._s3, self._credentials)

    @property
    def _uri(self) -> str:
        return f"s3://{self._bucket}/{_FOLDER}"

    def _open(self) -> DeltaTable:
        return DeltaTable(self._uri, storage_options=self._options)

    def _create(self) -> None:
        """Two may do so at once: the table of the first is there for both."""
        with suppress(CommitFailedError):
            DeltaTable.create(
                self._uri,
                _schema(),
                mode="ignore",
                partition_by=[MONTH],
                configuration=_CONFIGURATION,
                storage_options=self._options,
                commit_properties=CommitProperties(max_commit_retries=0),
            )


def _object_store_options(s3: "S3Client", credentials: Credentials | None) -> dict[str, str]:
    """The endpoint and the credentials for deltalake, which makes its own calls to S3.

    Credentials expire, so ask again for each table that you open. Raises NoCredentialsError.
    """
    credentials = credentials or session().get_credentials()
    if credentials is None:
        raise NoCredentialsError
    frozen = credentials.get_frozen_credentials()
    secrets = {
        "aws_access_key_id": frozen.access_key,
        "aws_secret_access_key": frozen.secret_key,
        "aws_session_token": frozen.token,
    }
    return {
        **{name: secret for name, secret in secrets.items() if secret},
        "aws_endpoint": s3.meta.endpoint_url,
        "aws_region": s3.meta.region_name,
        "aws_conditional_put": "etag",  # S3 itself decides a race, so no table of locks is needed
        "aws_allow_http": "true",  # the endpoint says whether it is HTTP or HTTPS
        "connect_timeout": "2s",
        "timeout": "60s",
        "max_retries": "2",
    }


def _snapshot(delta: DeltaTable) -> Snapshot:
    actions = delta.get_add_actions(flatten=True)
    columns = [actions[name].to_pylist() for name in (f"partition.{MONTH}", "path", "num_records", "size_bytes")]
    months: defaultdict[str, list[MonthFile]] = defaultdict(list)
    for month, path, rows, size in sorted(zip(*columns, strict=True)):
        months[month].append(MonthFile(month, path, rows, size))
    millis = delta.history(1)[0]["timestamp"]
    return Snapshot(delta.version(), datetime.fromtimestamp(millis / 1000, UTC), dict(months), delta)


def _schema() -> Schema:
    return Schema([Field(name, PrimitiveType(kind)) for name, kind in (*COLUMNS.items(), (MONTH, "string"))])


def _addition(file: MonthFile) -> AddAction:
    return AddAction(
        path=file.path,
        size=file.size,
        partition_values={MONTH: file.month},
        modification_time=int(time.time() * 1000),
        data_change=True,
        stats=json.dumps({"numRecords": file.rows}),
    )


@contextmanager
def _translate_errors() -> Iterator[None]:
    """deltalake speaks to S3 itself. A refusal looks like a failure there, so both are Unavailable and named."""
    try:
        yield
    except TableNotFoundError:
        raise
    except (DeltaError, OSError) as error:
        raise Unavailable(f"the lake's table cannot be read or written: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    """deltalake draws its errors as a tree, in colour."""
    return " ".join(re.sub(r"\x1b\[\d+m|↳", " ", str(error)).split())
