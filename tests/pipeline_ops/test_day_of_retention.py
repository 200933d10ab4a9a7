"""`Size=small` keeps a record for a day: a consumer that stays broken for longer loses nothing."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import cast

import pytest

from aws.bucket import DISCARDED, RAW, DeadLetterStore
from aws.lambda_events import KinesisEvent
from consumers.archive import Archive
from consumers.batch_loop import Outcome, Record, Stage, consume
from invoices.batch import pack
from invoices.errors import Throttled
from local_runtime.event_source_mapping import (
    Clock,
    EventSourceMapping,
    InMemoryStream,
    MappingDependencies,
    MappingSettings,
    NotDrained,
    S3Destination,
    VirtualClock,
)
from local_runtime.event_source_mapping.readers import Page
from local_runtime.handlers import Handler, LambdaContext, with_context
from local_runtime.stack.functions import read_functions
from local_runtime.stack.template import Template, physical_names
from pipeline_ops.options import Stores
from pipeline_ops.redrive import Redrive, parse_fix
from tests.invoice_rows import ndjson, row
from tests.local_runtime.templates import changed_template
from tests.pipeline_ops.stores import index_of, keys, stored_lines
from tests.recorded_metrics import RecordedMetrics

pytestmark = pytest.mark.slow

HOUR = 3600.0
OUTAGE = 40 * HOUR
HOURS_WITH_ROWS = 45  # the last rows come when all is well again


class DayStream(InMemoryStream):
    """Forgets a record when it is older than the stream's retention."""

    def __init__(self, clock: Clock, retention: float) -> None:
        super().__init__(clock)
        self._now = clock.now
        self._retention = retention

    def get_page(self, shard_id: str, iterator: str, limit: int) -> Page:
        page = super().get_page(shard_id, iterator, limit)
        return replace(
            page, records=tuple(each for each in page.records if self._now() - each.arrived < self._retention)
        )


class BrokenFor:
    """A consumer that fails for the time of the outage. Every hour a batch with an invoice of its own arrives."""

    def __init__(
        self, function: str, template: Template, stores: Stores, handler: Handler, clock: VirtualClock
    ) -> None:
        self._clock = clock
        self._stream = DayStream(clock, _retention(template))
        destination = S3Destination(
            stores.bucket.s3,
            stores.bucket.name,
            mapping_id="mapping",
            function_arn=function,
            new_id=map(str, count()).__next__,
        )
        dependencies = MappingDependencies(self._stream, clock=clock, on_failure=destination)
        self._mapping = EventSourceMapping(
            _settings(function, template),
            with_context(handler, function_name=function, timeout=60, clock=clock),
            dependencies,
        )

    def sit_it_out(self) -> None:
        for hour in range(HOURS_WITH_ROWS):
            self._stream.put(f"batch-{hour}", pack(ndjson([row(InvoiceNo=str(hour))])))
            begun = self._clock.now()
            with suppress(NotDrained):
                self._mapping.drain(within=HOUR)
            self._clock.sleep(begun + HOUR - self._clock.now())
        self._mapping.drain(within=24 * HOUR)


def _retention(template: Template) -> float:
    (stream,) = template.of_type("AWS::Kinesis::Stream")
    return float(cast("int", stream.properties["RetentionPeriodHours"])) * HOUR


def _settings(function: str, template: Template) -> MappingSettings:
    functions = {each.name: each for each in read_functions(template, physical_names(template))}
    return MappingSettings.model_validate(functions[function].mapping)


@pytest.fixture
def small(tmp_path: Path) -> Template:
    """The project's template with `Size=small`."""
    return changed_template(tmp_path, "Default: standard", "Default: small")


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def redrive_discarded(stores: Stores) -> int:
    """As `failed redrive --all` does; the number of records that came back."""
    redrive = Redrive(stores.bucket, index_of(stores))
    return sum(redrive.run(key, parse_fix([], [])).records for key in keys(stores, DISCARDED))


def throttled_until(back_at: float, clock: Clock, add: Callable[[Record], Outcome]) -> Callable[[Record], Outcome]:
    def run(record: Record) -> Outcome:
        if clock.now() < back_at:
            raise Throttled("DynamoDB asks to slow down")
        return add(record)

    return run


def test_rows_that_dynamodb_does_not_take_come_back(small: Template, stores: Stores, clock: VirtualClock) -> None:
    """They leave for the bucket, whole, before the stream forgets them, and a redrive brings them back."""
    add = throttled_until(clock.now() + OUTAGE, clock, index_of(stores).add)
    stage = Stage(add, DeadLetterStore(stores.bucket, "to_dynamodb").put)

    def handle(event: KinesisEvent, context: LambdaContext) -> object:
        return consume(event, context, stage, RecordedMetrics())

    BrokenFor("ToDynamodbFunction", small, stores, handle, clock).sit_it_out()
    assert len(stored_lines(stores)) < HOURS_WITH_ROWS
    assert redrive_discarded(stores) > 0
    assert {line.InvoiceNo for line in stored_lines(stores)} == {str(hour) for hour in range(HOURS_WITH_ROWS)}
    assert keys(stores, DISCARDED) == []


def test_batches_that_a_bug_does_not_archive_come_back(small: Template, stores: Stores, clock: VirtualClock) -> None:
    """The same where the function raises, so that Lambda halves its batches."""
    back_at = clock.now() + OUTAGE
    stage = Stage(Archive(stores.bucket).add, DeadLetterStore(stores.bucket, "to_s3").put)

    def handle(event: KinesisEvent, context: LambdaContext) -> object:
        if clock.now() < back_at:
            raise ZeroDivisionError
        return consume(event, context, stage, RecordedMetrics())

    BrokenFor("ToS3Function", small, stores, handle, clock).sit_it_out()
    assert len(keys(stores, RAW)) < HOURS_WITH_ROWS
    assert redrive_discarded(stores) > 0
    assert len(keys(stores, RAW)) == HOURS_WITH_ROWS
