"""What a consumer counts of each record that it is done with."""

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass

from aws.lambda_events import KinesisEventRecord
from aws.metrics import Metric, MetricsLog


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the stream. `batch_id` is its partition key as it came: anybody may write to a stream.

    `arrived_at` is in seconds since 1970; None for a record that comes from elsewhere, the archive say.
    """

    batch_id: str
    sequence_number: str
    data: bytes
    arrived_at: float | None = None


def record_of(delivered: KinesisEventRecord) -> Record:
    kinesis = delivered["kinesis"]
    return Record(
        batch_id=kinesis["partitionKey"],
        sequence_number=kinesis["sequenceNumber"],
        data=b64decode(kinesis["data"]),
        arrived_at=kinesis["approximateArrivalTimestamp"],
    )


@dataclass(frozen=True, slots=True)
class Reporting:
    """`now` tells the time in seconds since 1970, as the stream's own time of arrival does."""

    metrics: MetricsLog
    now: Callable[[], float]

    def archived(self, record: Record) -> None:
        self.metrics.put(record.batch_id, [Metric("RecordsArchived", 1)])

    def indexed(self, record: Record, rows: int) -> None:
        self.metrics.put(record.batch_id, [Metric("RowsIndexed", rows), *self._age(record)])

    def set_aside(self, record: Record) -> None:
        self.metrics.put(record.batch_id, [Metric("RecordsSetAside", 1)])

    def _age(self, record: Record) -> list[Metric]:
        """From acceptance to queryable. Clocks of two machines: what was answered before it came counts as at once."""
        if record.arrived_at is None:
            return []
        millis = round((self.now() - record.arrived_at) * 1000)
        return [Metric("AgeWhenQueryable", max(millis, 0), "Milliseconds")]


def unheard(_record: Record, _rows: int = 0) -> None:
    """For whoever counts nothing."""
