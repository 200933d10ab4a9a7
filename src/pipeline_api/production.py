"""The application as it runs in production and on a laptop: real AWS clients, names from the environment."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal

from botocore.config import Config
from starlette.types import ASGIApp

from aws.api_keys import KeyTable
from aws.bucket import Bucket
from aws.clients import FOR_REQUESTS, ONE_ATTEMPT, dynamodb_client, kinesis_client, s3_client
from aws.metrics import stdout_log
from aws.receipts import ReceiptTable
from aws.rejections import RejectionStore
from aws.settings import read_settings
from aws.stream import Stream
from aws.totals import TotalsStore
from pipeline_api.app import Services, create_app
from pipeline_api.asgi import RunBlocking
from pipeline_api.auth import Authenticator
from pipeline_api.queries.tables import Tables


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment variables that the API reads. `closed` docs need a key, `open` docs do not.

    LAKE_BUCKET is empty where there is no lake, and RAW_BUCKET where rejected rows are not kept.

    The endpoint and the region of AWS are not here, because boto3 reads them itself.
    """

    STREAM_NAME: str
    INVOICES_TABLE: str
    CUSTOMERS_TABLE: str
    BATCHES_TABLE: str
    KEYS_TABLE: str
    METRICS_NAMESPACE: str
    DOCS_ACCESS: Literal["open", "closed"]
    LAKE_BUCKET: str = ""
    RAW_BUCKET: str = ""


def production_app(environment: Mapping[str, str], run: RunBlocking) -> ASGIApp:
    """Raises MissingSettingError if the environment lacks a variable."""
    settings = read_settings(environment, Settings)
    return create_app(production_services(settings), run, open_docs=settings.DOCS_ACCESS == "open")


def production_services(settings: Settings) -> Services:
    dynamodb = dynamodb_client(FOR_REQUESTS)
    keys = KeyTable(dynamodb, settings.KEYS_TABLE)
    return Services(
        stream=Stream(kinesis_client(FOR_REQUESTS), settings.STREAM_NAME),
        tables=Tables(dynamodb, settings.INVOICES_TABLE, settings.CUSTOMERS_TABLE, time.sleep),
        receipts=ReceiptTable(dynamodb, settings.BATCHES_TABLE),
        authorize=Authenticator(keys.find, time.monotonic).authorize,
        metrics=stdout_log(settings.METRICS_NAMESPACE),
        # These clients are created at their first use: most instances never need them, and each slows the start.
        open_totals=cache(
            lambda: TotalsStore(s3_client(FOR_REQUESTS), settings.LAKE_BUCKET) if settings.LAKE_BUCKET else None
        ),
        keep_rejections=cache(partial(_rejection_store, settings.RAW_BUCKET, ONE_ATTEMPT)),
        open_rejections=cache(partial(_rejection_store, settings.RAW_BUCKET, FOR_REQUESTS)),
        open_short_receipts=cache(lambda: ReceiptTable(dynamodb_client(ONE_ATTEMPT), settings.BATCHES_TABLE)),
    )


def _rejection_store(bucket: str, config: Config) -> RejectionStore | None:
    return RejectionStore(Bucket(s3_client(config), bucket)) if bucket else None
