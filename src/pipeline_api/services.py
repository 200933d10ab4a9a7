"""What the application asks of the world outside."""

from dataclasses import dataclass

from aws.metrics import Metrics
from pipeline_api.ingest.stream import Stream
from pipeline_api.keys.gate import Admit
from pipeline_api.reads.tables import Tables


@dataclass(frozen=True, slots=True)
class Services:
    stream: Stream
    tables: Tables
    admit: Admit
    metrics: Metrics
