"""The pipeline as the documentation of its parts teaches it: FastAPI, boto3, the standard library.

A record for each row, 500 records to a call; an item for each row, and a copy of it for its customer.
"""

import csv
import gzip
import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

from aws.lambda_events import KinesisEvent
from bench.functions import Handler
from bench.rows import in_chunks
from bench.wire import BUCKET, CUSTOMERS, INVOICES, STREAM

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

ROWS_PER_CALL = 500


class Row(BaseModel):
    InvoiceNo: str
    StockCode: str
    Description: str | None = None
    Quantity: int
    InvoiceDate: datetime
    UnitPrice: Decimal
    CustomerID: str | None = None
    Country: str
    Occurrence: int | None = None


def api() -> Mangum:
    """The model in the signature, `def` routes."""
    app, kinesis = FastAPI(), boto3.client("kinesis")

    @app.post("/ingest", status_code=202)
    def ingest(rows: list[Row]) -> dict[str, int]:
        for chunk in in_chunks(rows, ROWS_PER_CALL):
            records: list[PutRecordsRequestEntryTypeDef] = [
                {"Data": row.model_dump_json().encode(), "PartitionKey": row.InvoiceNo} for row in chunk
            ]
            answer = kinesis.put_records(StreamName=STREAM, Records=records)
            if answer["FailedRecordCount"]:
                raise RuntimeError("not all records were put")
        return {"accepted": len(rows)}

    @app.post("/row", status_code=202)
    def ingest_row(row: Row) -> dict[str, int]:
        kinesis.put_record(StreamName=STREAM, Data=row.model_dump_json().encode(), PartitionKey=row.InvoiceNo)
        return {"accepted": 1}

    return Mangum(app, lifespan="off")


def to_s3() -> Handler:
    """The records of a batch, joined and compressed, are one object."""
    s3 = boto3.client("s3")

    def handle(event: KinesisEvent, _context: object) -> None:
        parts = [_plain(b64decode(record["kinesis"]["data"])) for record in event["Records"]]
        name = event["Records"][0]["kinesis"]["sequenceNumber"]
        s3.put_object(Bucket=BUCKET, Key=f"{name}.ndjson.gz", Body=gzip.compress(b"\n".join(parts)))

    return handle


def to_dynamodb() -> Handler:
    """An item for each row in Invoices, and its copy in Customers, by boto3's `batch_writer`."""
    dynamodb = boto3.resource("dynamodb")

    def handle(event: KinesisEvent, _context: object) -> None:
        with (
            dynamodb.Table(INVOICES).batch_writer() as invoices,
            dynamodb.Table(CUSTOMERS).batch_writer() as customers,
        ):
            for record in event["Records"]:
                for line in _plain(b64decode(record["kinesis"]["data"])).splitlines():
                    item = _item(json.loads(line, parse_float=Decimal))
                    invoices.put_item(Item=item)
                    if item.get("CustomerID"):
                        customers.put_item(Item=item)

    return handle


def _plain(data: bytes) -> bytes:
    """Of a record of its own API, which is one row, or of ours, which is rows in gzip."""
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def _item(row: dict[str, Any]) -> dict[str, Any]:
    line = f"{row['InvoiceNo']}#{row['StockCode']}#{row.get('Occurrence', 1)}"
    return {**row, "UnitPrice": Decimal(str(row["UnitPrice"])), "Line": line}


def send(file: Path, url: str, batch_rows: int) -> None:
    """Post every row of a UTF-8 file in batches of JSON: `csv`, `strptime`, `json.dumps` and httpx."""
    with (
        httpx.Client(base_url=url, trust_env=False, verify=not url.startswith("http:")) as client,
        file.open(encoding="utf-8", newline="") as lines,
    ):
        for batch in in_chunks(_csv_rows(csv.DictReader(lines)), batch_rows):
            headers = {"Content-Type": "application/json"}
            client.post("/ingest", content=json.dumps(batch), headers=headers).raise_for_status()


def _csv_rows(rows: "csv.DictReader[str]") -> Iterator[dict[str, object]]:
    for row in rows:
        yield {
            "InvoiceNo": row["InvoiceNo"],
            "StockCode": row["StockCode"],
            "Description": row["Description"] or None,
            "Quantity": int(row["Quantity"]),
            "InvoiceDate": datetime.strptime(row["InvoiceDate"], "%m/%d/%Y %H:%M").isoformat(),  # noqa: DTZ007 - no zone
            "UnitPrice": float(row["UnitPrice"]),
            "CustomerID": row["CustomerID"] or None,
            "Country": row["Country"],
        }
