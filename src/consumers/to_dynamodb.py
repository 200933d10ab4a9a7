"""Lambda entry: stores the lines of every record of the stream as slices and pointers."""

import gc

gc.disable()  # GC is disabled during imports (cold start)

import os
import time
from dataclasses import dataclass
from functools import cache

from aws.bucket import TO_DYNAMODB, Bucket, DeadLetter, DeadLetterStore
from aws.clients import dynamodb_client, s3_client
from aws.lambda_events import BatchResponse, KinesisEvent, LambdaContext
from aws.metrics import stdout_log
from aws.receipts import ReceiptWriter
from aws.settings import read_settings
from consumers.batch_loop import Stage, consume
from consumers.index import Index


@dataclass(frozen=True, slots=True)
class Settings:
    RAW_BUCKET: str
    INVOICES_TABLE: str
    CUSTOMERS_TABLE: str
    BATCHES_TABLE: str
    RECEIPT_RETENTION_DAYS: str
    METRICS_NAMESPACE: str


_settings = read_settings(os.environ, Settings)
_dynamodb = dynamodb_client()
_index = Index(_dynamodb, _settings.INVOICES_TABLE, _settings.CUSTOMERS_TABLE)
_receipts = ReceiptWriter(_dynamodb, _settings.BATCHES_TABLE, int(_settings.RECEIPT_RETENTION_DAYS), time.time)
_metrics = stdout_log(_settings.METRICS_NAMESPACE)
gc.freeze()  # imported objects stay for good: no later collection needs to visit them
gc.enable()


def handler(event: KinesisEvent, context: LambdaContext) -> BatchResponse:
    return consume(event, context, Stage(_index.add, _put_dead_letter, _receipts.put), _metrics)


def _put_dead_letter(batch_id: str, sequence_number: str, dead_letter: DeadLetter) -> None:
    _dead_letters().put(batch_id, sequence_number, dead_letter)


@cache
def _dead_letters() -> DeadLetterStore:
    """Created with the first dead letter: most instances never see one, and an S3 client would slow every start."""
    return DeadLetterStore(Bucket(s3_client(), _settings.RAW_BUCKET), TO_DYNAMODB)
