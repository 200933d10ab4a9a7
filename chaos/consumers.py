"""A consumer in its event source mapping, through crashes, time limits, second deliveries and other batches."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from aws.lambda_events import BatchResponse, KinesisEvent
from aws.metrics import MetricsLog
from chaos.aws_faults import AwsFaults
from chaos.crash import Crash, TaskTimedOut, TimeIsUp
from chaos.decisions import Fault
from consumers.batch_loop import Process, PutDeadLetter, consume
from local_runtime.event_source_mapping import (
    EventSourceMapping,
    InMemoryCheckpoints,
    InMemoryDestination,
    MappingDependencies,
    MappingSettings,
    StreamReader,
    VirtualClock,
)

_LONGEST_SECONDS = 5 * 24 * 3600.0
_MOST_CRASHES = 500
_BATCH_SIZES = (1, 2, 3, 7, 25, 100)


@dataclass(frozen=True, slots=True)
class Container:
    """What one start of a function has in memory."""

    process: Process
    put_dead_letter: PutDeadLetter
    metrics_log: MetricsLog


class NeverEnds(Exception):
    """A consumer crashes again and again, although only few of its calls do."""


@dataclass(slots=True)
class Consumer:
    """One function of the template. `new_container` is called at the start and after each crash."""

    stage: str
    settings: MappingSettings
    timeout_seconds: float
    reader: StreamReader
    new_container: Callable[[], Container]
    faults: AwsFaults
    discarded: InMemoryDestination = field(default_factory=InMemoryDestination)
    crashes: int = 0

    @property
    def clock(self) -> VirtualClock:
        return self.faults.clock

    def drain(self, chance: Random) -> None:
        """Work until the stream is done, after each crash from the checkpoint, in batches of another size."""
        checkpoints = _MortalCheckpoints(self)
        for _ in range(_MOST_CRASHES):
            try:
                self._mapping(checkpoints, chance.choice(_BATCH_SIZES)).drain(_LONGEST_SECONDS)
            except Crash:
                self.crashes += 1
            else:
                return
        raise NeverEnds(self.stage)

    def _mapping(self, checkpoints: InMemoryCheckpoints, batch_size: int) -> EventSourceMapping:
        dependencies = MappingDependencies(
            self.reader, clock=self.clock, checkpoints=checkpoints, on_failure=self.discarded
        )
        settings = self.settings.model_copy(update={"BatchSize": batch_size})
        return EventSourceMapping(settings, _Function(self, self.new_container()), dependencies)


class _Function:
    """What Lambda does around a handler: a time limit, and now and then one delivery more than was needed."""

    def __init__(self, consumer: Consumer, container: Container) -> None:
        self._consumer = consumer
        self._container = container
        self._ends = 0.0

    def __call__(self, event: KinesisEvent) -> BatchResponse:
        faults, stage = self._consumer.faults, self._consumer.stage
        fault, _ = faults.decisions.next("invocation", stage, faults.weather.invocation)
        if fault is Fault.TWICE:
            self._invoke(event)
        answer = self._invoke(event)
        if fault is Fault.CRASH_AFTER:
            raise Crash
        return answer

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._ends - self._consumer.clock.now()) * 1000))

    def _invoke(self, event: KinesisEvent) -> BatchResponse:
        faults, container = self._consumer.faults, self._container
        self._ends = faults.time_limit = self._consumer.clock.now() + self._consumer.timeout_seconds
        try:
            return consume(event, self, container.process, container.put_dead_letter, container.metrics_log)
        except TimeIsUp as ended:
            raise TaskTimedOut from ended
        finally:
            faults.time_limit = None


class _MortalCheckpoints(InMemoryCheckpoints):
    """The poller may die on either side of its checkpoint."""

    def __init__(self, consumer: Consumer) -> None:
        super().__init__()
        self._consumer = consumer

    def save(self, shard_id: str, sequence_number: str) -> None:
        faults = self._consumer.faults
        fault, _ = faults.decisions.next("checkpoint", self._consumer.stage, faults.weather.checkpoint)
        if fault is Fault.CRASH_BEFORE:
            raise Crash
        super().save(shard_id, sequence_number)
        if fault is Fault.CRASH_AFTER:
            raise Crash
