"""Consumers of a record for each row, and of gzip records, as boto3's own documentation would have them."""

import gzip
import json
from base64 import b64decode
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aws.lambda_events import KinesisEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client


class ToS3:
    """Decode, inflate, join, compress: one object for each batch of gzip records."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def handler(self, event: KinesisEvent, _context: object) -> None:
        parts = [gzip.decompress(b64decode(record["kinesis"]["data"])) for record in event["Records"]]
        name = event["Records"][0]["kinesis"]["sequenceNumber"]
        self._s3.put_object(Bucket=self._bucket, Key=f"{name}.ndjson.gz", Body=gzip.compress(b"\n".join(parts)))


class RowsToS3:
    """A record is one row: joined and compressed, one object for each batch."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def handler(self, event: KinesisEvent, _context: object) -> None:
        rows = [b64decode(record["kinesis"]["data"]) for record in event["Records"]]
        name = event["Records"][0]["kinesis"]["sequenceNumber"]
        self._s3.put_object(Bucket=self._bucket, Key=f"{name}.ndjson.gz", Body=gzip.compress(b"\n".join(rows)))


class ToDynamodb:
    """An item for each row in Invoices, and its copy in Customers, by boto3's `batch_writer`."""

    def __init__(self, invoices: "Table", customers: "Table") -> None:
        self._invoices = invoices
        self._customers = customers

    def handler(self, event: KinesisEvent, _context: object) -> None:
        with self._invoices.batch_writer() as invoices, self._customers.batch_writer() as customers:
            for record in event["Records"]:
                for line in _texts(b64decode(record["kinesis"]["data"])):
                    row = json.loads(line, parse_float=Decimal)
                    invoices.put_item(Item=_item(row))
                    if row.get("CustomerID"):
                        customers.put_item(Item=_item(row))


def _texts(data: bytes) -> list[bytes]:
    is_gzip = data.startswith(b"\x1f\x8b")
    return (gzip.decompress(data) if is_gzip else data).splitlines()


def _item(row: dict[str, Any]) -> dict[str, Any]:
    line = f"{row['InvoiceNo']}#{row['StockCode']}#{row.get('Occurrence', 1)}"
    return {**row, "UnitPrice": Decimal(str(row["UnitPrice"])), "Line": line}
