"""A gate that stands open: most tests are not about keys."""

from pipeline_api.ingest.stream import Stream
from pipeline_api.keys.stored_key import Scope
from pipeline_api.reads.tables import Tables
from pipeline_api.services import Services


def admit_all(text: str | None, scope: Scope | None) -> None:
    """Whoever comes."""


def behind_open_gate(stream: Stream, tables: Tables) -> Services:
    return Services(stream, tables, admit_all)
