"""aws-lambda-powertools: its HTTP resolver with validation, and its batch processor."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamRecord

from bench.rivals.row import Row

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef


def api_handler(kinesis: "KinesisClient", stream: str) -> Callable[[Any, Any], dict[str, Any]]:
    app = APIGatewayHttpResolver(enable_validation=True)

    @app.post("/ingest")
    def ingest(rows: list[Row]) -> dict[str, int]:
        records: list[PutRecordsRequestEntryTypeDef] = [
            {"Data": row.model_dump_json().encode(), "PartitionKey": row.InvoiceNo} for row in rows
        ]
        for start in range(0, len(records), 500):
            kinesis.put_records(StreamName=stream, Records=records[start : start + 500])
        return {"accepted": len(rows)}

    return app.resolve


def batch_handler(work: Callable[[str, bytes], object]) -> Callable[[Any, Any], Any]:
    """Calls `work` with partition key and data of each record, and answers as Lambda wants it."""
    processor = BatchProcessor(event_type=EventType.KinesisDataStreams)

    def each(record: KinesisStreamRecord) -> None:
        work(record.kinesis.partition_key, record.kinesis.data_as_bytes())

    return lambda event, context: process_partial_response(
        event=event, record_handler=each, processor=processor, context=context
    )
