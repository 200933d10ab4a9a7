"""From the queue of new objects to one commit: read, find each month's new lines, commit them, acknowledge last.

Whatever fails on the way, the messages stay in the queue and the next refresh begins again with them. It finds the
lines that are in the lake already and writes nothing for them.
"""

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError
from pydantic import BaseModel, ValidationError

from aws.bucket import Bucket, batch_id_of
from aws.erasures import ErasedCustomers, ErasureList, Erasures
from aws.errors import error_code, translate_errors
from aws.totals import TotalsStore
from consumers.lake.staging import Staging, United
from consumers.lake.table import LakeChanged, LakeTable, MonthFile, Snapshot, new_file
from invoices.batch import unpack
from invoices.erasure import NumberedText, erase_row, erase_rows
from invoices.errors import Malformed, Rejected, Unavailable
from invoices.limits import MAX_BODY_BYTES
from invoices.rows import ERASED_ROW, split_ndjson

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

MOST_ROWS: Final = 500_000
"""A refresh begins to commit when it has read so many rows; the next one takes the rest."""

_ATTEMPTS = 10
_MESSAGES_PER_CALL = 10  # SQS's limit
_WAIT_SECONDS = 1  # asks all of SQS's servers; without it an answer may be empty while messages wait

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
        self._erasures = ErasureList(self._archive)
        self._erased = Erasures()

    def run(self, queue: LakeQueue) -> Refreshed | None:
        """Take what the queue holds, up to MOST_ROWS, into the lake. None where the queue is empty.

        Raises Retryable where a service fails; then every message is delivered again.
        """
        done = self._begin()
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

    def _begin(self) -> Refreshed:
        self._erased = self._erasures.read()
        return Refreshed()

    def _take(
        self, message: "MessageTypeDef", staging: Staging, done: Refreshed, taken: "list[MessageTypeDef]"
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
        done = self._begin()
        with Staging() as staging:
            for key in keys:
                self._stage(key, staging, done)
            self._unite(staging, done)
        return done

    def _stage(self, key: str, staging: Staging, done: Refreshed) -> None:
        try:
            data, written_at = self._read(key)
            _stage_object(key, data, staging, self._erased.covering(written_at))
        except Rejected as error:
            _logger.warning("No rows can be read from an object of the archive: %s", error, extra={"key": key})
            done.unreadable += 1
            return
        done.objects += 1

    def _read(self, key: str) -> tuple[bytes, float]:
        """The object and when it was written. Raises Malformed where it is gone: a person deleted it."""
        try:
            return self._archive.read_dated(key)
        except ClientError as error:
            if error_code(error) != "NoSuchKey":
                raise
            raise Malformed("the object is gone") from error

    def _unite(self, staging: Staging, done: Refreshed) -> None:
        """Begin again with a new snapshot as often as somebody else commits first."""
        months = staging.months()
        done.rows = staging.rows - staging.rejected
        done.unreadable += staging.rejected
        for attempt in range(1, _ATTEMPTS + 1):
            snapshot = self._table.snapshot()
            try:
                written = list(self._write_months(months, staging, snapshot))
                files = [file for file, _ in written]
                if files:
                    self._check_erasures()
                    self._table.commit(snapshot, files, [file.month for file, united in written if united.replaces_old])
            except LakeChanged:
                if attempt == _ATTEMPTS:
                    raise
                continue
            if files:
                snapshot = self._table.snapshot()
                done.version, done.months = snapshot.version, [file.month for file in files]
            self._totals.publish(snapshot.version, snapshot.committed_at, snapshot.paths)
            return

    def _check_erasures(self) -> None:
        """An erasure that began meanwhile may have looked at the lake already. Raises Unavailable: begin again.

        An erasure looks at the lake 70 seconds after it began. So it finds a file that was written just before.
        """
        if self._erasures.read() != self._erased:
            raise Unavailable("an erasure began or ended during the refresh, which has to begin again")

    def _check_customers(self, customers: Sequence[str]) -> None:
        """Old lines of these are about to be written again. Raises Unavailable where one of them is being erased.

        If the erasure commits first, it may have listed the files that no version names, and would overlook this one.
        """
        erased = self._erased.covering(math.inf)  # by those that have no end
        if erased and any(erased.keeps_lines(each) is not None for each in customers):
            raise Unavailable(
                "a customer is being erased from a month that has to be written again; the erasure is first"
            )

    def _write_months(
        self, months: Sequence[str], staging: Staging, snapshot: Snapshot
    ) -> Iterator[tuple[MonthFile, United]]:
        """Write a data file and the sums of each month that has new lines."""
        new = staging.folder / "new.parquet"
        for month in months:
            there = snapshot.months.get(month, ())
            old = self._table.download(there, staging.folder)
            united = staging.unite(month, old, new)
            if united is None:
                continue
            file = new_file(month, united.rows, new)
            if united.replaces_old:
                self._check_customers(staging.customers(old))
            self._check_erasures()
            self._table.write(file, new.read_bytes())
            if united.replaces_old:
                there, old = (), []
            self._totals.write([*(each.path for each in there), file.path], staging.totals([*old, new]))
            yield file, united


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


def _stage_object(key: str, data: bytes, staging: Staging, customers: ErasedCustomers | None) -> None:
    """Stage the rows of an object under `raw/` or `failed-redriven/`, but for erased customers. Raises Rejected."""
    if not key.endswith(".json"):
        batch_id = batch_id_of(key)
        kept = erase_rows(data, batch_id, customers)[0] if customers else data
        staging.add_batch(batch_id, [row for row in split_ndjson(unpack(kept, MAX_BODY_BYTES)) if row != ERASED_ROW])
        return
    try:
        document = _RedrivenDocument.model_validate_json(data)
    except ValidationError as error:
        raise Malformed("the object is not a document of a redrive") from error
    rows = [NumberedText(row.text.encode(), row.number) for row in document.rows]
    if customers:
        rows = [left for row in rows if (left := erase_row(row, document.batch_id, customers))]
    staging.add_rows(document.batch_id, [row.text for row in rows], [row.number for row in rows])
