"""Builds the tables from the archive, with the consumer's own code: what is there already stays as it is.

The archive is raw objects and the rows that were redriven. Rows that are no invoice lines were set aside when they
first came; a replay passes over them.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from consumers.index import Index
from invoices.errors import Rejected, Retryable
from pipeline_ops import documents
from pipeline_ops.archive_rows import RAW, keys_of_hours, raw_keys, read_record
from pipeline_ops.pace import Pace
from pipeline_ops.progress import Watch
from pipeline_ops.replay_progress import ProgressFile
from pipeline_ops.time_range import TimeRange

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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
