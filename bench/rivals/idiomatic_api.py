"""FastAPI as its tutorial teaches it: the model in the signature, a record for each row, 500 records to a call."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fastapi import FastAPI
from mangum import Mangum

from bench.rivals.row import Row

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

_RECORDS_PER_CALL = 500


def handler(kinesis: "KinesisClient", stream: str) -> Mangum:
    app = FastAPI()

    @app.post("/ingest", status_code=202)
    def ingest(rows: list[Row]) -> dict[str, int]:
        for chunk in _chunks(rows):
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


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), _RECORDS_PER_CALL):
        yield rows[start : start + _RECORDS_PER_CALL]
