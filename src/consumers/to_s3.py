"""Lambda entry: archives every record of the stream as one raw object."""

import gc

gc.disable()  # GC is disabled during imports (cold start)

import os
import time
from dataclasses import dataclass

from aws.bucket import TO_S3, Bucket, DeadLetterStore
from aws.clients import s3_client
from aws.erasures import ErasureList
from aws.lambda_events import BatchResponse, KinesisEvent, LambdaContext
from aws.metrics import stdout_log
from aws.settings import read_settings
from consumers.archive import Archive
from consumers.batch_loop import Stage, consume


@dataclass(frozen=True, slots=True)
class Settings:
    RAW_BUCKET: str
    METRICS_NAMESPACE: str


_settings = read_settings(os.environ, Settings)
_bucket = Bucket(s3_client(), _settings.RAW_BUCKET)
_stage = Stage(Archive(_bucket).add, DeadLetterStore(_bucket, TO_S3).put, erasures=ErasureList(_bucket, time.time))
_metrics = stdout_log(_settings.METRICS_NAMESPACE)
gc.freeze()  # imported objects stay for good: no later collection needs to visit them
gc.enable()


def handler(event: KinesisEvent, context: LambdaContext) -> BatchResponse:
    return consume(event, context, _stage, _metrics)
