"""Lambda entry: archives every record of the stream as one raw object."""

import gc

gc.disable()  # nothing that an import makes is garbage: looking for some takes a tenth of a cold start

import os
import time
from dataclasses import dataclass

from aws.clients import s3_client
from aws.lambda_events import BatchResponse, KinesisEvent, LambdaContext
from aws.metrics import stdout_log
from aws.settings import read_settings
from consumers.archive import Archive
from consumers.batch_loop import consume
from consumers.dead_letters import DeadLetterStore
from consumers.records import Reporting


@dataclass(frozen=True, slots=True)
class Settings:
    RAW_BUCKET: str
    METRICS_NAMESPACE: str


_settings = read_settings(os.environ, Settings)
_s3 = s3_client()
_reporting = Reporting(stdout_log(_settings.METRICS_NAMESPACE), time.time)
_archive = Archive(_s3, _settings.RAW_BUCKET, _reporting.archived)
_failed = DeadLetterStore(_s3, _settings.RAW_BUCKET, stage="to_s3", told=_reporting.set_aside)
gc.freeze()  # what was imported stays for good: the collector need not walk through it again for every batch
gc.enable()


def handler(event: KinesisEvent, context: LambdaContext) -> BatchResponse:
    return consume(event, _archive.add, _failed.keep, context)
