"""A mapping over a stream in memory whose function follows a script; everything it did can be read afterwards."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from local_runtime.event_source_mapping import (
    Backoff,
    CheckpointStep,
    EventSourceMapping,
    InMemoryCheckpoints,
    InMemoryDestination,
    InMemoryStream,
    KinesisEvent,
    MappingDependencies,
    MappingSettings,
    VirtualClock,
)

Answer: TypeAlias = Callable[[KinesisEvent], object]


def succeeds(_: KinesisEvent) -> object:
    return {"batchItemFailures": []}


def raises(_: KinesisEvent) -> object:
    raise ValueError("a bug")


def answers(response: object) -> Answer:
    return lambda _: response


def reports(*partition_keys: str) -> Answer:
    """Names the records with these keys as failed, in this order."""

    def report(event: KinesisEvent) -> object:
        numbers = {
            record["kinesis"]["partitionKey"]: record["kinesis"]["sequenceNumber"] for record in event["Records"]
        }
        return {"batchItemFailures": [{"itemIdentifier": numbers[key]} for key in partition_keys]}

    return report


def raises_with(poison: str) -> Answer:
    """Raises whenever the record with this key is in the batch."""
    return lambda event: raises(event) if poison in keys_of(event) else succeeds(event)


def keys_of(event: KinesisEvent) -> str:
    """One letter for each record."""
    return "".join(record["kinesis"]["partitionKey"] for record in event["Records"])


class Scenario:
    """`script` answers the first invocations; `then` all others."""

    def __init__(self, *script: Answer, then: Answer = succeeds, shards: int = 1, **properties: object) -> None:
        self.settings = MappingSettings.model_validate({"StartingPosition": "TRIM_HORIZON"} | properties)
        self.clock = VirtualClock()
        self.stream = InMemoryStream(self.clock, shards=shards)
        self.destination = InMemoryDestination()
        self.checkpoints = InMemoryCheckpoints()
        self.steps: list[CheckpointStep] = []
        self.delivered: list[str] = []
        self.delivered_at: list[float] = []
        self._script = list(script)
        self._then = then
        self._began = self.clock.now()

    def follow(self, script: Iterable[Answer], *, then: Answer) -> None:
        """Another script."""
        self._script = list(script)
        self._then = then

    def put(self, partition_keys: Iterable[str]) -> None:
        for key in partition_keys:
            self.stream.put(key, key.encode())

    def mapping(self) -> EventSourceMapping:
        """A new one on the same checkpoints: a restart."""
        return EventSourceMapping(self.settings, self.function, self.dependencies())

    def dependencies(self) -> MappingDependencies:
        return MappingDependencies(
            self.stream,
            clock=self.clock,
            checkpoints=self.checkpoints,
            on_failure=self.destination,
            on_checkpoint=self.steps.append,
            backoff=Backoff(first=1.0, longest=60.0),
        )

    def run(self, partition_keys: str) -> "Scenario":
        """Put these, one letter a record, and drain."""
        self.put(partition_keys)
        self.mapping().drain()
        return self

    @property
    def discarded(self) -> list[str]:
        """The keys of each discarded batch."""
        return ["".join(record.partition_key for record in dead.batch.records) for dead in self.destination.discarded]

    @property
    def acknowledged(self) -> str:
        return "".join(record.partition_key for step in self.steps for record in step.acknowledged)

    def at(self, partition_keys: str) -> list[float]:
        """When this batch was delivered, in seconds from the start."""
        return [at for keys, at in zip(self.delivered, self.delivered_at, strict=True) if keys == partition_keys]

    def function(self, event: KinesisEvent) -> object:
        self.delivered.append(keys_of(event))
        self.delivered_at.append(self.clock.now() - self._began)
        answer = self._script.pop(0) if self._script else self._then
        return answer(event)
