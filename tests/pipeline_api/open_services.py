"""Services that need no API key, because most tests are not about keys."""

from aws.api_keys import Scope
from aws.receipts import ReceiptTable
from pipeline_api.app import Services
from pipeline_api.ingest.route import Stream
from pipeline_api.queries.tables import Tables
from tests.recorded_metrics import RecordedMetrics


def authorize_all(text: str | None, scope: Scope | None) -> None:
    """Accept every key, and no key as well."""


def open_services(stream: Stream, tables: Tables, metrics: RecordedMetrics | None = None) -> Services:
    receipts = ReceiptTable(tables.client, "batches")
    return Services(stream, tables, receipts, authorize_all, metrics or RecordedMetrics())
