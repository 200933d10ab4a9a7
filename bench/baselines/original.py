"""The design that this pipeline replaces: a request, a Lambda run, a record and two updates for each row.

Repaired where it loses rows: the original returns inside its loop and fails at a row without a customer.
"""

import json
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from aws.lambda_events import KinesisEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

BATCH_SIZE = 100
_Receive = Callable[[], Awaitable[Mapping[str, Any]]]
_Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Ingest:
    """Behind a REST API, as a proxy integration."""

    def __init__(self, kinesis: "KinesisClient", stream: str) -> None:
        self._kinesis = kinesis
        self._stream = stream

    def handler(self, event: Mapping[str, Any], _context: object) -> dict[str, object]:
        row = json.loads(event["body"])
        self._kinesis.put_record(StreamName=self._stream, Data=json.dumps(row).encode(), PartitionKey=row["InvoiceNo"])
        return {"statusCode": 200, "body": json.dumps({"inserted": 1})}


class ToS3:
    """One object for each batch of records."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def handler(self, event: KinesisEvent, _context: object) -> None:
        lines = [b64decode(record["kinesis"]["data"]) for record in event["Records"]]
        name = event["Records"][0]["kinesis"]["sequenceNumber"]
        self._s3.put_object(Bucket=self._bucket, Key=f"{name}.txt", Body=b"\n".join(lines))


class ToDynamodb:
    """An invoice is one item with an attribute for each stock code, a customer one with an attribute an invoice."""

    def __init__(self, dynamodb: "DynamoDBClient", invoices: str, customers: str) -> None:
        self._dynamodb = dynamodb
        self._invoices = invoices
        self._customers = customers

    def handler(self, event: KinesisEvent, _context: object) -> None:
        for record in event["Records"]:
            row = json.loads(b64decode(record["kinesis"]["data"]))
            if row.get("CustomerID"):
                self._set(self._customers, {"CustomerID": row["CustomerID"]}, row["InvoiceNo"], "x")
            rest = {name: value for name, value in row.items() if name not in ("InvoiceNo", "StockCode")}
            self._set(self._invoices, {"InvoiceNo": row["InvoiceNo"]}, row["StockCode"], json.dumps(rest))

    def _set(self, table: str, key: Mapping[str, str], attribute: str, value: str) -> None:
        self._dynamodb.update_item(
            TableName=table,
            Key={name: {"S": text} for name, text in key.items()},
            UpdateExpression="SET #a = :a",
            ExpressionAttributeNames={"#a": attribute},
            ExpressionAttributeValues={":a": {"S": value}},
        )
