"""The application as it runs, on a laptop as on Lambda: clients from boto3, names from the environment."""

import time
from collections.abc import Mapping

from starlette.types import ASGIApp

from aws.clients import dynamodb_client, kinesis_client
from aws.emf import standard_output
from pipeline_api.app import create_app
from pipeline_api.ingest.stream import Stream
from pipeline_api.keys.gate import Gate
from pipeline_api.keys.key_table import KeyTable
from pipeline_api.reads.tables import Tables
from pipeline_api.running import Run
from pipeline_api.services import Services
from pipeline_api.settings import settings_from


def production_app(environment: Mapping[str, str], run: Run) -> ASGIApp:
    """Raises MissingSettingError where the environment lacks a name."""
    settings = settings_from(environment)
    stream = Stream(kinesis_client(), settings.stream_name)
    dynamodb = dynamodb_client()
    tables = Tables(dynamodb, settings.invoices_table, settings.customers_table, time.sleep)
    gate = Gate(KeyTable(dynamodb, settings.keys_table).find, time.monotonic)
    services = Services(stream, tables, gate.admit, standard_output(settings.metrics_namespace))
    return create_app(services, run, open_docs=settings.docs_access == "open")
