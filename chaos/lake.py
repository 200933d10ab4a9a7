"""A seed's lake: a refresh that fails or crashes is begun again with the same messages, as the schedule does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb

from aws.bucket import Bucket
from aws.totals import TotalsStore
from chaos.aws_faults import AwsFaults
from chaos.faults import Crash, Fault, TimeIsUp
from chaos.rows import Fact
from chaos.stores import Stores
from consumers.lake.refresh import LakeQueue, Refresh
from consumers.lake.table import LakeChanged, LakeTable, MonthFile, Snapshot
from invoices.errors import Retryable
from pipeline_ops.lake import lake_lines

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_MOST_REFRESHES = 200


class NeverRefreshed(Exception):
    """Every refresh fails, although most calls succeed."""


@dataclass(slots=True)
class Lake:
    """`s3` meets the seed's faults. So does the commit; the other calls that deltalake makes itself meet none."""

    stores: Stores
    s3: "S3Client"
    faults: AwsFaults
    crashes: int = field(default=0, init=False)

    def table(self) -> LakeTable:
        return _Table(self.s3, self.stores.lake_bucket, self.faults)

    def refresh(self) -> None:
        """Until every object of the archive that the queue tells of is in the lake."""
        queue = _Queue(self.stores.clients.sqs, self.stores.lake_queue)
        for _ in range(_MOST_REFRESHES):
            totals = TotalsStore(self.s3, self.stores.lake_bucket)
            refresh = Refresh(self.s3, self.stores.bucket, self.table(), totals)
            try:
                while refresh.run(queue):
                    pass
            except (Crash, TimeIsUp, Retryable):
                self.crashes += 1
                queue.deliver_again()
            else:
                return
        raise NeverRefreshed


def facts_in_lake(stores: Stores) -> Iterator[Fact]:
    """The lines that hold. A line that is there twice comes twice."""
    table = LakeTable(stores.clients.s3, stores.lake_bucket)
    if not table.snapshot().files:
        return
    with TemporaryDirectory() as folder:
        held = (line for _, line in lake_lines(table, Path(folder)) if not line.Withdrawn)
        yield from (Fact.of(vars(line)) for line in held)


def rows_in_data_files(stores: Stores, customer: str) -> Iterator[tuple[str, int]]:
    """How many rows of the customer each data file has, also each old one."""
    bucket = Bucket(stores.clients.s3, stores.lake_bucket)
    with TemporaryDirectory() as folder:
        path = Path(folder, "file.parquet")
        for each in bucket.objects("lines/month="):
            path.write_bytes(bucket.read(each.key))
            query = f"SELECT count(*) FROM read_parquet('{path}', hive_partitioning = false) WHERE CustomerID = ?"  # noqa: S608
            yield each.key, duckdb.execute(query, [customer]).fetchall()[0][0]


def sums_in_lake(stores: Stores) -> tuple[int, Decimal]:
    """Lines and amount by the summaries that GET /totals reads."""
    totals = TotalsStore(stores.clients.s3, stores.lake_bucket)
    current = totals.current()
    days = [day for key in current.months.values() for day in totals.month(key)] if current else []
    return sum(day.lines for day in days), sum((Decimal(day.amount) for day in days), Decimal(0))


class _Queue(LakeQueue):
    """Its messages become visible again at once, and not after the queue's time."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        super().__init__(sqs, url, wait_seconds=0)
        self._received: list[MessageTypeDef] = []

    def receive(self) -> "list[MessageTypeDef]":
        messages = super().receive()
        self._received = [*self._received, *messages]
        return messages

    def deliver_again(self) -> None:
        for message in self._received:
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
        self._received = []

    def delete(self, messages: "Sequence[MessageTypeDef]") -> None:
        super().delete(messages)
        self._received = []


class _Table(LakeTable):
    def __init__(self, s3: "S3Client", bucket: str, faults: AwsFaults) -> None:
        super().__init__(s3, bucket)
        self._plan = faults.plan

    def commit(self, snapshot: Snapshot, files: Sequence[MonthFile], removed: Sequence[str] = ()) -> None:
        fault, _ = self._plan.draw("lake.commit", str(snapshot.version))
        if fault is Fault.CRASH_BEFORE:
            raise Crash
        super().commit(snapshot, files, removed)
        if fault is Fault.CRASH_AFTER:
            raise Crash
        if fault is Fault.LOST_RESPONSE:
            raise LakeChanged("no answer")
