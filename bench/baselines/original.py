"""The design that this pipeline replaces: a request, a Lambda run, a record and two updates for each row.

Repaired where it loses rows: the original returns inside its loop and fails at a row without a customer.
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import boto3

from aws.lambda_events import KinesisEvent
from bench.functions import Handler
from bench.wire import BUCKET, CUSTOMERS, INVOICES, STREAM

BATCH_SIZE = 100


def api() -> Handler:
    """Behind a REST API, as a proxy integration."""
    kinesis = boto3.client("kinesis")

    def handle(event: Mapping[str, Any], _context: object) -> dict[str, object]:
        row = json.loads(event["body"])
        kinesis.put_record(StreamName=STREAM, Data=json.dumps(row).encode(), PartitionKey=row["InvoiceNo"])
        return {"statusCode": 200, "body": json.dumps({"inserted": 1})}

    return handle


def to_s3() -> Handler:
    """One object for each batch of records."""
    s3 = boto3.client("s3")

    def handle(event: KinesisEvent, _context: object) -> None:
        lines = [b64decode(record["kinesis"]["data"]) for record in event["Records"]]
        name = event["Records"][0]["kinesis"]["sequenceNumber"]
        s3.put_object(Bucket=BUCKET, Key=f"{name}.txt", Body=b"\n".join(lines))

    return handle


def to_dynamodb() -> Handler:
    """An invoice is one item with an attribute for each stock code, a customer one with an attribute an invoice."""
    dynamodb = boto3.client("dynamodb")

    def set_attribute(table: str, key: Mapping[str, str], attribute: str, value: str) -> None:
        dynamodb.update_item(
            TableName=table,
            Key={name: {"S": text} for name, text in key.items()},
            UpdateExpression="SET #a = :a",
            ExpressionAttributeNames={"#a": attribute},
            ExpressionAttributeValues={":a": {"S": value}},
        )

    def handle(event: KinesisEvent, _context: object) -> None:
        for record in event["Records"]:
            row = json.loads(b64decode(record["kinesis"]["data"]))
            if row.get("CustomerID"):
                set_attribute(CUSTOMERS, {"CustomerID": row["CustomerID"]}, row["InvoiceNo"], "x")
            rest = {name: value for name, value in row.items() if name not in ("InvoiceNo", "StockCode")}
            set_attribute(INVOICES, {"InvoiceNo": row["InvoiceNo"]}, row["StockCode"], json.dumps(rest))

    return handle
