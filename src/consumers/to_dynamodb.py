"""Lambda entry: stores the lines of every record of the stream as slices and pointers."""

import gc
import time

from aws.clients import dynamodb_client, s3_client
from aws.emf import standard_output
from consumers.batch_loop import consume
from consumers.event import BatchResponse, KinesisEvent, LambdaContext
from consumers.index import Index
from consumers.reporting import Reporting
from consumers.set_aside import FailedFolder
from consumers.settings import to_dynamodb_settings

_settings = to_dynamodb_settings()
_reporting = Reporting(standard_output(_settings.METRICS_NAMESPACE), time.time)
_tables = (_settings.INVOICES_TABLE, _settings.CUSTOMERS_TABLE)
_index = Index(dynamodb_client(), *_tables, told=_reporting.indexed)
_failed = FailedFolder(s3_client(), _settings.RAW_BUCKET, stage="to_dynamodb", told=_reporting.set_aside)
gc.freeze()  # what was imported stays for good: the collector need not walk through it again for every batch


def handler(event: KinesisEvent, context: LambdaContext) -> BatchResponse:
    return consume(event, _index.add, _failed.keep, context)
