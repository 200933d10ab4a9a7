"""The application as it runs, on a laptop as on Lambda: clients from boto3, names from the environment."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from starlette.types import ASGIApp

from aws.api_keys import KeyTable
from aws.clients import dynamodb_client, kinesis_client
from aws.metrics import stdout_log
from aws.settings import read_settings
from pipeline_api.app import Services, create_app
from pipeline_api.auth import Gate
from pipeline_api.ingest.route import Stream
from pipeline_api.queries.tables import Tables
from pipeline_api.running import Run


@dataclass(frozen=True, slots=True)
class Settings:
    """The names of the stream, the tables and the metrics; whether the docs need a key (`closed`) or not (`open`).

    boto3 itself reads the endpoint and the region.
    """

    STREAM_NAME: str
    INVOICES_TABLE: str
    CUSTOMERS_TABLE: str
    KEYS_TABLE: str
    METRICS_NAMESPACE: str
    DOCS_ACCESS: Literal["open", "closed"]


def production_app(environment: Mapping[str, str], run: Run) -> ASGIApp:
    """Raises MissingSettingError where the environment lacks a name."""
    settings = read_settings(environment, Settings)
    stream = Stream(kinesis_client(), settings.STREAM_NAME)
    dynamodb = dynamodb_client()
    tables = Tables(dynamodb, settings.INVOICES_TABLE, settings.CUSTOMERS_TABLE, time.sleep)
    gate = Gate(KeyTable(dynamodb, settings.KEYS_TABLE).find, time.monotonic)
    services = Services(stream, tables, gate.admit, stdout_log(settings.METRICS_NAMESPACE))
    return create_app(services, run, open_docs=settings.DOCS_ACCESS == "open")
