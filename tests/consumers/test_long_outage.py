"""DynamoDB is away for half a day, by a clock that is moved: the backlog drains to what it would have been."""

from typing import Any, cast

import pytest

from aws.bucket import Bucket, DeadLetterStore
from aws.lambda_events import BatchResponse, KinesisEvent, LambdaContext
from consumers.batch_loop import Stage, consume
from consumers.index import Index
from invoices.errors import Throttled
from local_runtime.event_source_mapping import (
    EventSourceMapping,
    InMemoryDestination,
    InMemoryStream,
    MappingDependencies,
    MappingSettings,
    VirtualClock,
)
from local_runtime.handlers import with_context
from local_runtime.stack.functions import read_functions
from local_runtime.stack.template import physical_names
from tests.consumers.events import batch
from tests.consumers.stores_in_memory import BucketInMemory, TablesInMemory
from tests.invoice_rows import row
from tests.local_runtime.templates import project_template
from tests.recorded_metrics import RecordedMetrics

pytestmark = pytest.mark.slow

HOUR = 3600.0


class TablesAway(TablesInMemory):
    """Throttles everything until its time has come."""

    def __init__(self, clock: VirtualClock, back_at: float) -> None:
        super().__init__()
        self._clock = clock
        self._back_at = back_at

    def batch_write_item(self, **request: Any) -> dict[str, Any]:
        if self._clock.now() < self._back_at:
            raise Throttled("DynamoDB asks to slow down")
        return super().batch_write_item(**request)


class Backlog:
    """Batches on four shards, poison among them, and the template's own mapping of to_dynamodb."""

    def __init__(self, outage: float) -> None:
        self.clock = VirtualClock()
        self.tables = TablesAway(self.clock, self.clock.now() + outage)
        self.bucket = BucketInMemory()
        self.destination = InMemoryDestination()
        stream = InMemoryStream(self.clock, shards=4)
        for number in range(20):
            stream.put(f"batch-{number}", batch([row(InvoiceNo=str(number))]) if number % 5 else b"poison")
        dependencies = MappingDependencies(stream, clock=self.clock, on_failure=self.destination)
        handler = with_context(self.handle, function_name="ToDynamodbFunction", timeout=60, clock=self.clock)
        self.mapping = EventSourceMapping(_settings(), handler, dependencies)

    def handle(self, event: Any, context: LambdaContext) -> BatchResponse:
        index = Index(cast("Any", self.tables), "invoices", "customers", sleep=self.clock.sleep)
        dead_letters = DeadLetterStore(Bucket(cast("Any", self.bucket), "bucket"), "to_dynamodb")
        return consume(cast("KinesisEvent", event), context, Stage(index.add, dead_letters.put), RecordedMetrics())

    def invoices(self) -> list[str]:
        return sorted({item["InvoiceNo"]["S"] for item in self.tables.items.get("invoices", [])})


def _settings() -> MappingSettings:
    template = project_template()
    functions = {function.name: function for function in read_functions(template, physical_names(template))}
    return MappingSettings.model_validate(functions["ToDynamodbFunction"].mapping)


@pytest.mark.parametrize("hours", [0, 2, 12])
def test_an_outage_drains_to_the_same_end_state(hours: int) -> None:
    """Nothing is discarded, and poison is set aside as ever."""
    backlog = Backlog(hours * HOUR)
    backlog.mapping.drain(within=24 * HOUR)
    assert backlog.invoices() == sorted(str(number) for number in range(20) if number % 5)
    assert (backlog.destination.discarded, len(backlog.bucket.objects)) == ([], 4)
