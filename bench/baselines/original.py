"""The design that this pipeline replaces: a request, a Lambda run, a record and two updates for each row.

Repaired where it loses rows: the original returns inside its loop and fails at a row without a customer.
"""

import asyncio
import json
import os
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from aws.clients import dynamodb_client, kinesis_client, s3_client
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


def to_s3(event: KinesisEvent, context: object) -> None:
    """As Lambda calls it: the environment names the bucket."""
    _functions()[1].handler(event, context)


def to_dynamodb(event: KinesisEvent, context: object) -> None:
    """As Lambda calls it: the environment names the tables."""
    _functions()[2].handler(event, context)


async def api(scope: Mapping[str, Any], receive: _Receive, send: _Send) -> None:
    """The ingest under uvicorn: a bare ASGI application, so that no framework slows it down.

    POST takes one row; GET answers that the server is up. Every request runs in a thread, as every concurrent request
    has a Lambda environment of its own.
    """
    body, more = b"", scope["method"] == "POST"
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    answer: Mapping[str, Any] = {"statusCode": 200, "body": ""}
    if body:
        answer = await asyncio.to_thread(_functions()[0].handler, {"body": body.decode()}, None)
    text = answer["body"].encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": answer["statusCode"], "headers": headers})
    await send({"type": "http.response.body", "body": text})


@cache
def _functions() -> tuple[Ingest, ToS3, ToDynamodb]:
    names = os.environ
    return (
        Ingest(kinesis_client(), names["STREAM_NAME"]),
        ToS3(s3_client(), names["RAW_BUCKET"]),
        ToDynamodb(dynamodb_client(), names["INVOICES_TABLE"], names["CUSTOMERS_TABLE"]),
    )
