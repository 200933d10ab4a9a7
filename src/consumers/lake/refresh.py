"""From the queue of new objects to one commit: read, unite each month that they touch, commit, acknowledge last.

Whatever fails on the way, the messages stay in the queue and the next refresh begins again with them. It finds the
lines that are in the lake already and writes nothing for them.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import unquote_plus
from uuid import uuid4

import duckdb
from arro3.core import Array, DataType, RecordBatch, Table
from botocore.exceptions import ClientError
from pydantic import BaseModel, ValidationError

from aws.bucket import Bucket, batch_id_of
from aws.errors import error_code, translate_errors
from aws.totals import DayTotals, TotalsStore
from consumers.lake.table import COLUMNS, DUCKDB_TYPES, LakeChanged, LakeTable, MonthFile, Snapshot
from invoices.batch import unpack
from invoices.errors import Malformed, Rejected
from invoices.limits import MAX_BODY_BYTES
from invoices.line import Line, line_id, numbers_in_batch
from invoices.rows import Rows, read_ndjson, read_rows

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

MOST_ROWS: Final = 500_000
"""A refresh begins to commit when it has read so many rows; the next one takes the rest."""

MEMORY_LIMIT: Final = "400MB"
"""What DuckDB may hold in memory; the rest it keeps on the disk."""

_ATTEMPTS = 10
_MESSAGES_PER_CALL = 10  # SQS's limit
_WAIT_SECONDS = 1  # asks all of SQS's servers; without it an answer may be empty while messages wait

_THREADS = 2
_ROWS_PER_INSERT = 50_000  # an insert of few rows costs twice as much for each
_NAMES = ", ".join(COLUMNS)
_STAGED = ", ".join(f"{name} {kind}" for name, kind in DUCKDB_TYPES.items())
_FILE_ORDER = "StockCode, Description, UnitPrice, InvoiceDate, InvoiceNo, Occurrence, LineId"
_FILE_FORMAT = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 6"
_SAME = " AND ".join(f"fresh.{name} IS NOT DISTINCT FROM old.{name}" for name in COLUMNS)
_TO_COLUMNS = """
    INSERT INTO staged SELECT
        InvoiceNo, StockCode, Description, Quantity,
        rtrim(InvoiceDate, 'Z')::TIMESTAMP AT TIME ZONE 'UTC' AS InvoiceDate,
        ends_with(InvoiceDate, 'Z') AS IsUtc,
        UnitPrice::DECIMAL(15,6) AS UnitPrice,
        (Quantity * UnitPrice::DECIMAL(24,6))::DECIMAL(24,6) AS Amount,
        CustomerID, Country, Occurrence, LineId,
        left(InvoiceDate, 7) AS month
    FROM chunk
"""
_TOTALS = """
    SELECT strftime(InvoiceDate, '%Y-%m-%d'), Country, count(*), sum(Quantity)::VARCHAR, sum(Amount)::VARCHAR
    FROM {file} GROUP BY ALL ORDER BY ALL
"""

_logger = logging.getLogger(__name__)


@dataclass
class Refreshed:
    """What a refresh did. `version` is None where nothing was new and so nothing was committed.

    `unreadable` are objects and rows that no reader can take; to_dynamodb keeps them as dead letters.
    """

    objects: int = 0
    rows: int = 0
    unreadable: int = 0
    version: int | None = None
    months: list[str] = field(default_factory=list)


class LakeQueue:
    """The queue of the archive's new objects. Every method raises Retryable where SQS fails."""

    def __init__(self, sqs: "SQSClient", url: str, wait_seconds: int = _WAIT_SECONDS) -> None:
        self._sqs = sqs
        self._url = url
        self._wait_seconds = wait_seconds

    def receive(self) -> "list[MessageTypeDef]":
        with translate_errors("SQS"):
            answer = self._sqs.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=_MESSAGES_PER_CALL, WaitTimeSeconds=self._wait_seconds
            )
        return answer.get("Messages", [])

    def waiting(self) -> int:
        """About how many messages nobody has received."""
        name: Final = "ApproximateNumberOfMessages"
        with translate_errors("SQS"):
            answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def delete(self, messages: "Sequence[MessageTypeDef]") -> None:
        for start in range(0, len(messages), _MESSAGES_PER_CALL):
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages[start : start + _MESSAGES_PER_CALL])
            ]
            with translate_errors("SQS"):
                self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)


class Refresh:
    """Brings the archive's objects into the lake."""

    def __init__(self, s3: "S3Client", archive_bucket: str, table: LakeTable, totals: TotalsStore) -> None:
        self._archive = Bucket(s3, archive_bucket)
        self._table = table
        self._totals = totals

    def run(self, queue: LakeQueue) -> Refreshed | None:
        """Take what the queue holds, up to MOST_ROWS, into the lake. None where the queue is empty.

        Raises Retryable where a service fails; then every message is delivered again.
        """
        done = Refreshed()
        taken: list[MessageTypeDef] = []
        with Staging() as staging:
            while staging.rows < MOST_ROWS and (messages := queue.receive()):
                for message in messages:
                    self._take(message, staging, done, taken)
            if not taken:
                return None
            self._unite(staging, done)
        queue.delete(taken)
        return done

    def _take(
        self, message: "MessageTypeDef", staging: "Staging", done: Refreshed, taken: "list[MessageTypeDef]"
    ) -> None:
        """A message that S3 did not write stays in the queue, which moves it to the dead-letter queue in the end."""
        try:
            keys = _keys(message["Body"])
        except ValidationError:
            _logger.warning("The queue has a message that is no notification of S3")
            return
        for key in keys:
            self._stage(key, staging, done)
        taken.append(message)

    def add(self, keys: Sequence[str]) -> Refreshed:
        """Take these objects of the archive into the lake."""
        done = Refreshed()
        with Staging() as staging:
            for key in keys:
                self._stage(key, staging, done)
            self._unite(staging, done)
        return done

    def _stage(self, key: str, staging: "Staging", done: Refreshed) -> None:
        try:
            batch_id, rows, numbers = _read_object(key, self._read(key))
        except Rejected as error:
            _logger.warning("No rows can be read from an object of the archive: %s", error, extra={"key": key})
            done.unreadable += 1
            return
        line_ids = [
            None if line.Occurrence else line_id(line, batch_id, number)
            for line, number in zip(rows.lines, numbers, strict=True)
        ]
        staging.add(rows.lines, line_ids)
        done.objects += 1
        done.rows += len(rows.lines)
        done.unreadable += rows.rejected

    def _read(self, key: str) -> bytes:
        """Raises Malformed where the object is gone: a person deleted it, and its rows with it."""
        try:
            return self._archive.read(key)
        except ClientError as error:
            if error_code(error) != "NoSuchKey":
                raise
            raise Malformed("the object is gone") from error

    def _unite(self, staging: "Staging", done: Refreshed) -> None:
        """Begin again with a new snapshot as often as somebody else commits first."""
        for attempt in range(1, _ATTEMPTS + 1):
            snapshot = self._table.snapshot()
            try:
                files = list(self._write_months(staging, snapshot))
                if files:
                    self._table.commit(snapshot, files)
            except LakeChanged:
                if attempt == _ATTEMPTS:
                    raise
                continue
            if files:
                snapshot = self._table.snapshot()
                done.version, done.months = snapshot.version, [file.month for file in files]
            paths = {month: file.path for month, file in snapshot.files.items()}
            self._totals.publish(snapshot.version, snapshot.committed_at, paths)
            return

    def _write_months(self, staging: "Staging", snapshot: Snapshot) -> Iterator[MonthFile]:
        """Write the data file and the sums of each month that has new lines."""
        old, new = staging.folder / "old.parquet", staging.folder / "new.parquet"
        for month in staging.months():
            if there := snapshot.files.get(month):
                old.write_bytes(self._table.read(there))
            rows = staging.unite(month, old if there else None, new)
            if rows is None:
                continue
            file = MonthFile(month, f"month={month}/{uuid4()}.parquet", rows, new.stat().st_size)
            self._table.write(file, new.read_bytes())
            self._totals.write(file.path, staging.totals(new))
            yield file


class Staging:
    """A set of lines on its way into the lake. Use it inside `with`: it keeps what is too much for memory in files."""

    def __init__(self, memory_limit: str = MEMORY_LIMIT) -> None:
        self._folder = TemporaryDirectory(prefix="lake-")
        self._db = duckdb.connect(
            config={
                "memory_limit": memory_limit,
                "threads": _THREADS,
                "temp_directory": str(self.folder / "spilled"),
                "preserve_insertion_order": False,
            }
        )
        self._db.execute("SET TimeZone = 'UTC'")  # or a day would depend on where this runs
        self._db.execute("SET enable_progress_bar = false")  # standard output is the log, whose lines are JSON
        self._db.execute(f"CREATE TABLE staged ({_STAGED}, month VARCHAR)")
        self._waiting: list[RecordBatch] = []
        self.rows = 0

    @property
    def folder(self) -> Path:
        return Path(self._folder.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()
        self._folder.cleanup()

    def add(self, lines: Sequence[Line], line_ids: Sequence[str | None]) -> None:
        """Stage lines. `line_ids` has None for each line with an Occurrence."""
        if not lines:
            return
        self._waiting.append(_arrow(lines, line_ids))
        self.rows += len(lines)
        if sum(batch.num_rows for batch in self._waiting) >= _ROWS_PER_INSERT:
            self._insert()

    def months(self) -> list[str]:
        """The months that the staged lines touch."""
        self._insert()
        return [month for (month,) in self._db.execute("SELECT DISTINCT month FROM staged ORDER BY month").fetchall()]

    def _insert(self) -> None:
        if not self._waiting:
            return
        self._db.register("chunk", Table.from_batches(self._waiting))
        self._db.execute(_TO_COLUMNS)
        self._db.unregister("chunk")
        self._waiting = []

    def unite(self, month: str, old: Path | None, into: Path) -> int | None:
        """Write the month's old lines and the staged ones, each once, and return how many there are.

        None, and no file, where all staged lines are among the old ones. `old` has no duplicates: it is a data
        file that this method wrote.
        """
        with self._fresh_lines(month, old) as fresh:
            if not fresh:
                return None
            source = f"SELECT {_NAMES} FROM fresh" + (f" UNION ALL {self._lines(old)}" if old else "")
            # Neighbours in this order are alike: 8.9 bytes a row, and 9.8 in the order of their dates.
            self._db.execute(f"COPY ({source} ORDER BY {_FILE_ORDER}) TO '{into}' ({_FILE_FORMAT})")
        (rows,) = self._db.execute(f"SELECT count(*) FROM {_file(into)}").fetchall()[0]
        return int(rows)

    @contextmanager
    def _fresh_lines(self, month: str, old: Path | None) -> Iterator[int]:
        distinct = f"SELECT DISTINCT {_NAMES} FROM staged WHERE month = ?"
        unseen = f" AS fresh ANTI JOIN ({self._lines(old)}) AS old ON {_SAME}" if old else ""
        self._db.execute(f"CREATE TABLE fresh AS SELECT * FROM ({distinct}){unseen}", [month])
        try:
            (count,) = self._db.execute("SELECT count(*) FROM fresh").fetchall()[0]
            yield int(count)
        finally:
            self._db.execute("DROP TABLE fresh")

    def _lines(self, file: Path) -> str:
        """A query of all lines in a data file. It may have been written before a column was added."""
        described = self._db.execute(f"DESCRIBE SELECT * FROM {_file(file)}").fetchall()
        there = {name for name, *_ in described}
        columns = [name if name in there else f"NULL::{kind} AS {name}" for name, kind in DUCKDB_TYPES.items()]
        return f"SELECT {', '.join(columns)} FROM {_file(file)}"

    def totals(self, file: Path) -> list[DayTotals]:
        """The sums of a data file, by day and country."""
        query = _TOTALS.format(file=_file(file))
        return [DayTotals(*row) for row in self._db.execute(query).fetchall()]


def _file(path: Path) -> str:
    """Without `hive_partitioning` DuckDB would add a column for each folder that is named like one."""
    return f"read_parquet('{path}', hive_partitioning = false)"


def _arrow(lines: Sequence[Line], line_ids: Sequence[str | None]) -> RecordBatch:
    text, number = DataType.utf8(), DataType.int32()
    columns: Mapping[str, tuple[Sequence[object], DataType]] = {
        "InvoiceNo": ([line.InvoiceNo for line in lines], text),
        "StockCode": ([line.StockCode for line in lines], text),
        "Description": ([line.Description for line in lines], text),
        "Quantity": ([line.Quantity for line in lines], number),
        "InvoiceDate": ([line.InvoiceDate for line in lines], text),
        "UnitPrice": ([format(line.UnitPrice, "f") for line in lines], text),
        "CustomerID": ([line.CustomerID for line in lines], text),
        "Country": ([line.Country for line in lines], text),
        "Occurrence": ([line.Occurrence for line in lines], number),
        "LineId": (line_ids, text),
    }
    return RecordBatch.from_pydict({name: Array(values, kind) for name, (values, kind) in columns.items()})


class _Notification(BaseModel):
    """What S3 puts into the queue; its test message has no Records."""

    class _Record(BaseModel):
        class _S3(BaseModel):
            class _Object(BaseModel):
                key: str

            object: _Object

        s3: _S3

    Records: tuple[_Record, ...] = ()


def _keys(body: str) -> list[str]:
    return [unquote_plus(record.s3.object.key) for record in _Notification.model_validate_json(body).Records]


class _RedrivenRow(BaseModel):
    text: str
    number: int


class _RedrivenDocument(BaseModel):
    """A document under `failed-redriven/`, as far as its rows are concerned."""

    batch_id: str
    rows: tuple[_RedrivenRow, ...]


def _read_object(key: str, data: bytes) -> tuple[str, Rows, list[int]]:
    """The batch id, the rows and their numbers of an object under `raw/` or `failed-redriven/`. Raises Rejected."""
    if not key.endswith(".json"):
        rows = read_ndjson(unpack(data, MAX_BODY_BYTES))
        return batch_id_of(key), rows, numbers_in_batch(rows.lines)
    try:
        document = _RedrivenDocument.model_validate_json(data)
    except ValidationError as error:
        raise Malformed("the object is not a document of a redrive") from error
    rows = read_rows([row.text.encode() for row in document.rows])
    return document.batch_id, rows, [document.rows[place].number for place in rows.indexes]
