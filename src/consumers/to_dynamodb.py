"""Lambda entry: stores the lines of every record of the stream as slices and pointers."""

import gc

gc.disable()  # GC is disabled during imports (cold start)

import os
import time
from dataclasses import dataclass

from aws.bucket import TO_DYNAMODB, Bucket, DeadLetterStore
from aws.clients import dynamodb_client, s3_client
from aws.erasures import ErasureList
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
_bucket = Bucket(s3_client(), _settings.RAW_BUCKET)
_erasures = ErasureList(_bucket, time.time)
_stage = Stage(_index.add, DeadLetterStore(_bucket, TO_DYNAMODB).put, _receipts.put, erasures=_erasures)
_metrics = stdout_log(_settings.METRICS_NAMESPACE)
gc.freeze()  # imported objects stay for good: no later collection needs to visit them
gc.enable()


def handler(event: KinesisEvent, context: LambdaContext) -> BatchResponse:
    return consume(event, context, _stage, _metrics)
