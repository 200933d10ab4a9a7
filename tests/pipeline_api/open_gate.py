"""A gate that stands open: most tests are not about keys."""

from pipeline_api.ingest.stream import Stream
from pipeline_api.keys.stored_key import Scope
from pipeline_api.reads.tables import Tables
from pipeline_api.services import Services
from tests.recorded_metrics import RecordedMetrics


def admit_all(text: str | None, scope: Scope | None) -> None:
    """Whoever comes."""


def behind_open_gate(stream: Stream, tables: Tables, metrics: RecordedMetrics | None = None) -> Services:
    return Services(stream, tables, admit_all, metrics or RecordedMetrics())
