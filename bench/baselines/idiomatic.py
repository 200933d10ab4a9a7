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

import httpx
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

from aws.lambda_events import KinesisEvent
from bench.rows import in_chunks

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef
    from mypy_boto3_s3 import S3Client

_RECORDS_PER_CALL = 500


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


def api_handler(kinesis: "KinesisClient", stream: str) -> Mangum:
    """The model in the signature, `def` routes."""
    app = FastAPI()

    @app.post("/ingest", status_code=202)
    def ingest(rows: list[Row]) -> dict[str, int]:
        for chunk in in_chunks(rows, _RECORDS_PER_CALL):
            answer = kinesis.put_records(StreamName=stream, Records=[_entry(row) for row in chunk])
            if answer["FailedRecordCount"]:
                raise RuntimeError("not all records were put")
        return {"accepted": len(rows)}

    @app.post("/row", status_code=202)
    def ingest_row(row: Row) -> dict[str, int]:
        kinesis.put_record(StreamName=stream, Data=row.model_dump_json().encode(), PartitionKey=row.InvoiceNo)
        return {"accepted": 1}

    return Mangum(app, lifespan="off")


def _entry(row: Row) -> "PutRecordsRequestEntryTypeDef":
    return {"Data": row.model_dump_json().encode(), "PartitionKey": row.InvoiceNo}


class ToS3:
    """A record is one row: joined and compressed, one object for each batch."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def handler(self, event: KinesisEvent, _context: object) -> None:
        parts = [self._rows(b64decode(record["kinesis"]["data"])) for record in event["Records"]]
        name = event["Records"][0]["kinesis"]["sequenceNumber"]
        self._s3.put_object(Bucket=self._bucket, Key=f"{name}.ndjson.gz", Body=gzip.compress(b"\n".join(parts)))

    def _rows(self, data: bytes) -> bytes:
        return data


class GzipToS3(ToS3):
    """A record is gzip NDJSON, as ours are."""

    def _rows(self, data: bytes) -> bytes:
        return gzip.decompress(data)


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
