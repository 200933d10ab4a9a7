"""An archive, a queue and a lake for tests, and what the lake holds."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import duckdb
from deltalake import DeltaTable, Field, Schema
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction

from aws.totals import TotalsStore
from consumers.lake.refresh import LakeQueue, Refresh, Refreshed
from consumers.lake.table import COLUMNS, MONTH, LakeTable, MonthFile
from invoices.batch import pack
from tests.invoice_rows import ndjson

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

OLDER_LINE = """
    SELECT '536365' AS InvoiceNo, '85123A' AS StockCode, 'WHITE HANGING HEART T-LIGHT HOLDER' AS Description,
    6 AS Quantity, TIMESTAMPTZ '2010-12-01 08:26Z' AS InvoiceDate, false AS IsUtc, 2.55::DECIMAL(15,6) AS UnitPrice,
    15.3::DECIMAL(24,6) AS Amount, '17850' AS CustomerID, 'United Kingdom' AS Country, 1 AS Occurrence, NULL AS LineId,
    NULL::TIMESTAMPTZ AS StatedAt, NULL::BOOLEAN AS Withdrawn
"""


class LakeLine(NamedTuple):
    """A row of the table, its columns by name and in the table's order, without the month."""

    InvoiceNo: str
    StockCode: str
    Description: str | None
    Quantity: int
    InvoiceDate: datetime
    IsUtc: bool
    UnitPrice: Decimal
    Amount: Decimal
    CustomerID: str | None
    Country: str
    Occurrence: int | None
    LineId: str | None
    StatedAt: datetime | None = None
    Withdrawn: bool | None = None


@dataclass(frozen=True)
class Lake:
    s3: "S3Client"
    sqs: "SQSClient"
    archive_bucket: str
    bucket: str
    queue_url: str

    @classmethod
    def create(cls, s3: "S3Client", sqs: "SQSClient", name: str) -> "Lake":
        """The queue gives a message out again at once, as if its time were over."""
        archive, bucket = f"archive-{name}", f"lake-{name}"
        s3.create_bucket(Bucket=archive)
        s3.create_bucket(Bucket=bucket)
        url = sqs.create_queue(QueueName=f"queue-{name}", Attributes={"VisibilityTimeout": "3"})["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        s3.put_bucket_notification_configuration(
            Bucket=archive,
            NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}],
            },
        )
        return cls(s3, sqs, archive, bucket, url)

    @property
    def table(self) -> LakeTable:
        return LakeTable(self.s3, self.bucket)

    @property
    def totals(self) -> TotalsStore:
        return TotalsStore(self.s3, self.bucket)

    @property
    def queue(self) -> LakeQueue:
        return LakeQueue(self.sqs, self.queue_url, wait_seconds=0)

    def fill_before(self, column: str, lines: str) -> None:
        """Make the table as it was before `column` was added, with one data file, of 2010-12, from SQL."""
        names = [name for name in COLUMNS if name != column]
        fields = [Field(name, PrimitiveType({**COLUMNS, MONTH: "string"}[name])) for name in (*names, MONTH)]
        options = {"aws_allow_http": "true", "aws_conditional_put": "etag"}
        uri, schema = f"s3://{self.bucket}/lines", Schema(fields)
        delta = DeltaTable.create(uri, schema, partition_by=[MONTH], storage_options=options)
        with TemporaryDirectory() as folder:
            path = Path(folder, "old.parquet")
            relation = duckdb.from_query(lines)
            assert relation
            relation.select(*names).write_parquet(str(path))
            file = MonthFile("2010-12", "month=2010-12/old.parquet", 1, path.stat().st_size)
            self.table.write(file, path.read_bytes())
        addition = AddAction(file.path, file.size, {MONTH: file.month}, 0, data_change=True, stats='{"numRecords": 1}')
        delta.create_write_transaction([addition], "append", schema, [MONTH])

    def archive(self, batch_id: str, rows: Sequence[Mapping[str, object]]) -> str:
        key = f"raw/dt=1970-01-01/hour=00/{batch_id}.ndjson.gz"
        self.s3.put_object(Bucket=self.archive_bucket, Key=key, Body=pack(ndjson(rows)))
        return key

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.archive_bucket, Key=key, Body=body)

    def refresh(self) -> Refreshed | None:
        return Refresh(self.s3, self.archive_bucket, self.table, self.totals).run(self.queue)

    def add(self, keys: Sequence[str]) -> Refreshed:
        return Refresh(self.s3, self.archive_bucket, self.table, self.totals).add(keys)

    def messages(self) -> int:
        """How many are in the queue, whether somebody has received them or not."""
        answer = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["All"])["Attributes"]
        return int(answer["ApproximateNumberOfMessages"]) + int(answer["ApproximateNumberOfMessagesNotVisible"])

    def lines(self) -> Counter[LakeLine]:
        """Every row of the newest version, and how often it is there. Each row's month is that of its date."""
        return Counter(self._read())

    def _read(self) -> Iterator[LakeLine]:
        with TemporaryDirectory() as folder:
            for file in self.table.snapshot().files:
                path = Path(folder, "month.parquet")
                path.write_bytes(self.table.read(file))
                db = duckdb.connect()
                db.execute("SET TimeZone = 'UTC'")
                dates = "InvoiceDate AT TIME ZONE 'UTC' AS InvoiceDate, StatedAt AT TIME ZONE 'UTC' AS StatedAt"
                query = f"SELECT * REPLACE ({dates}) FROM read_parquet($file)"  # noqa: S608 - names of columns
                rows = db.execute(query, {"file": str(path)}).fetchall()
                assert len(rows) == file.rows
                assert {f"{row[4]:%Y-%m}" for row in rows} == {file.month}
                yield from (LakeLine(*row) for row in rows)

    def log(self) -> list[dict[str, dict[str, object]]]:
        """Every entry of every commit."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix="lines/_delta_log/")["Contents"]
        keys = [each["Key"] for each in listed if each["Key"].endswith(".json")]
        texts = [self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode() for key in keys]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    def object_keys(self) -> set[str]:
        return {each["Key"] for each in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])}
