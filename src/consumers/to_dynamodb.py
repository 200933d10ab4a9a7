"""Lambda entry: stores the lines of every record of the stream as slices and pointers."""

import gc

gc.disable()  # nothing that an import makes is garbage: looking for some takes a tenth of a cold start

import os
import time
from dataclasses import dataclass
from functools import cache

from aws.clients import dynamodb_client, s3_client
from aws.lambda_events import BatchResponse, KinesisEvent, LambdaContext
from aws.metrics import stdout_log
from aws.settings import read_settings
from consumers.batch_loop import consume
from consumers.dead_letters import DeadLetter, DeadLetterStore
from consumers.index import Index
from consumers.records import Record, Reporting


@dataclass(frozen=True, slots=True)
class Settings:
    RAW_BUCKET: str
    INVOICES_TABLE: str
    CUSTOMERS_TABLE: str
    METRICS_NAMESPACE: str


_settings = read_settings(os.environ, Settings)
_reporting = Reporting(stdout_log(_settings.METRICS_NAMESPACE), time.time)
_tables = (_settings.INVOICES_TABLE, _settings.CUSTOMERS_TABLE)
_index = Index(dynamodb_client(), *_tables, told=_reporting.indexed)
gc.freeze()  # what was imported stays for good: the collector need not walk through it again for every batch
gc.enable()


def handler(event: KinesisEvent, context: LambdaContext) -> BatchResponse:
    return consume(event, _index.add, _keep, context)


def _keep(record: Record, set_aside: DeadLetter) -> None:
    _failed().keep(record, set_aside)


@cache
def _failed() -> DeadLetterStore:
    """Made when a row has to be set aside: most instances never see one, and all would wait for a client of S3."""
    return DeadLetterStore(s3_client(), _settings.RAW_BUCKET, stage="to_dynamodb", told=_reporting.set_aside)
