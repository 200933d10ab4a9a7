"""Lambda entry: archives every record of the stream as one raw object."""

import gc

gc.disable()  # nothing that an import makes is garbage: looking for some takes a tenth of a cold start

import os
import time

from aws.clients import s3_client
from aws.emf import standard_output
from consumers.archive import Archive
from consumers.batch_loop import consume
from consumers.event import BatchResponse, KinesisEvent, LambdaContext
from consumers.reporting import Reporting
from consumers.set_aside import FailedFolder
from consumers.settings import ToS3Settings, settings_from

_settings = settings_from(os.environ, ToS3Settings)
_s3 = s3_client()
_reporting = Reporting(standard_output(_settings.METRICS_NAMESPACE), time.time)
_archive = Archive(_s3, _settings.RAW_BUCKET, _reporting.archived)
_failed = FailedFolder(_s3, _settings.RAW_BUCKET, stage="to_s3", told=_reporting.set_aside)
gc.freeze()  # what was imported stays for good: the collector need not walk through it again for every batch
gc.enable()


def handler(event: KinesisEvent, context: LambdaContext) -> BatchResponse:
    return consume(event, _archive.add, _failed.keep, context)
