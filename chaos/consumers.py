"""A consumer in its event source mapping, through crashes, time limits, second deliveries and changing batch sizes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING

from aws.lambda_events import BatchResponse, KinesisEvent
from aws.metrics import MetricsLog
from chaos.aws_faults import AwsFaults
from chaos.faults import Crash, Fault, TimeIsUp
from consumers.batch_loop import Stage, consume
from local_runtime.event_source_mapping import (
    EventSourceMapping,
    InMemoryCheckpoints,
    InMemoryDestination,
    KinesisReader,
    MappingDependencies,
    MappingSettings,
    StreamReader,
    VirtualClock,
)
from local_runtime.event_source_mapping.readers import Page
from local_runtime.stack.functions import Function

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

_LONGEST_SECONDS = 5 * 24 * 3600.0
_MOST_CRASHES = 500
_BATCH_SIZES = (1, 2, 3, 7, 25, 100)


class NeverEnds(Exception):
    """A consumer crashes again and again, although only few of its calls do."""


class TaskTimedOut(Exception):
    """What the event source mapping hears of an invocation that Lambda ended."""


class VirtualReader(KinesisReader):
    """A record arrived when the virtual clock says so. `arrivals` are the times by sequence number."""

    def __init__(self, kinesis: "KinesisClient", stream: str, arrivals: Mapping[str, float]) -> None:
        super().__init__(kinesis, stream)
        self._arrivals = arrivals

    def get_page(self, shard_id: str, iterator: str, limit: int) -> Page:
        page = super().get_page(shard_id, iterator, limit)
        records = (replace(each, arrived=self._arrivals[each.sequence_number]) for each in page.records)
        return replace(page, records=tuple(records))


@dataclass(slots=True)
class Consumer:
    """One function of the template. `new_stage` makes what it has in memory: at the start and after each crash."""

    name: str
    function: Function
    reader: StreamReader
    new_stage: Callable[[], Stage]
    metrics_log: MetricsLog
    faults: AwsFaults
    discarded: InMemoryDestination = field(default_factory=InMemoryDestination)
    crashes: int = 0

    @property
    def clock(self) -> VirtualClock:
        return self.faults.clock

    def drain(self, chance: Random) -> None:
        """Read the whole stream; after each crash go on from the checkpoint, in batches of another size."""
        checkpoints = _CrashingCheckpoints(self)
        for _ in range(_MOST_CRASHES):
            try:
                self._mapping(checkpoints, chance.choice(_BATCH_SIZES)).drain(_LONGEST_SECONDS)
            except Crash:
                self.crashes += 1
            else:
                return
        raise NeverEnds(self.name)

    def _mapping(self, checkpoints: InMemoryCheckpoints, batch_size: int) -> EventSourceMapping:
        dependencies = MappingDependencies(
            self.reader, clock=self.clock, checkpoints=checkpoints, on_failure=self.discarded
        )
        settings = MappingSettings.model_validate(self.function.mapping).model_copy(update={"BatchSize": batch_size})
        return EventSourceMapping(settings, _Invocation(self, self.new_stage()), dependencies)


class _Invocation:
    """What Lambda does around a handler: a time limit, and now and then one delivery more than is needed."""

    def __init__(self, consumer: Consumer, stage: Stage) -> None:
        self._consumer = consumer
        self._stage = stage
        self._ends = 0.0

    def __call__(self, event: KinesisEvent) -> BatchResponse:
        fault, _ = self._consumer.faults.plan.draw("invocation", self._consumer.name)
        if fault is Fault.TWICE:
            self._invoke(event)
        response = self._invoke(event)
        if fault is Fault.CRASH_AFTER:
            raise Crash
        return response

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._ends - self._consumer.clock.now()) * 1000))

    def _invoke(self, event: KinesisEvent) -> BatchResponse:
        faults = self._consumer.faults
        self._ends = faults.time_limit = self._consumer.clock.now() + self._consumer.function.timeout_seconds
        try:
            return consume(event, self, self._stage, self._consumer.metrics_log)
        except TimeIsUp as ended:
            raise TaskTimedOut from ended
        finally:
            faults.time_limit = None


class _CrashingCheckpoints(InMemoryCheckpoints):
    """The poller can crash before and after it saves a checkpoint."""

    def __init__(self, consumer: Consumer) -> None:
        super().__init__()
        self._consumer = consumer

    def save(self, shard_id: str, sequence_number: str) -> None:
        fault, _ = self._consumer.faults.plan.draw("checkpoint", self._consumer.name)
        if fault is Fault.CRASH_BEFORE:
            raise Crash
        super().save(shard_id, sequence_number)
        if fault is Fault.CRASH_AFTER:
            raise Crash
