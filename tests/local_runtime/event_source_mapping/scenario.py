"""A mapping of a stream in memory to a function that follows a script. It keeps everything that happened."""

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

Responder: TypeAlias = Callable[[KinesisEvent], object]


def succeeds(_: KinesisEvent) -> object:
    return {"batchItemFailures": []}


def raises(_: KinesisEvent) -> object:
    raise ValueError("a bug")


def responds(response: object) -> Responder:
    return lambda _: response


def reports(*partition_keys: str) -> Responder:
    """Report the records with these keys as failed, in this order."""

    def report(event: KinesisEvent) -> object:
        numbers = {
            record["kinesis"]["partitionKey"]: record["kinesis"]["sequenceNumber"] for record in event["Records"]
        }
        return {"batchItemFailures": [{"itemIdentifier": numbers[key]} for key in partition_keys]}

    return report


def raises_with(poison: str) -> Responder:
    """Raise if the record with this key is in the batch."""
    return lambda event: raises(event) if poison in keys_of(event) else succeeds(event)


def keys_of(event: KinesisEvent) -> str:
    """The partition keys, each of one letter, as one text."""
    return "".join(record["kinesis"]["partitionKey"] for record in event["Records"])


class Scenario:
    """`script` responds to the first invocations, one entry each, and `then` to all others."""

    def __init__(self, *script: Responder, then: Responder = succeeds, shards: int = 1, **properties: object) -> None:
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

    def follow(self, script: Iterable[Responder], *, then: Responder) -> None:
        """Replace the script."""
        self._script = list(script)
        self._then = then

    def put(self, partition_keys: Iterable[str]) -> None:
        for key in partition_keys:
            self.stream.put(key, key.encode())

    def mapping(self) -> EventSourceMapping:
        """A new mapping with the same checkpoints, as after a restart."""
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
        """Put a record for each letter, and drain the stream."""
        self.put(partition_keys)
        self.mapping().drain()
        return self

    @property
    def discarded(self) -> list[str]:
        """The partition keys of each discarded batch."""
        return ["".join(record.partition_key for record in dead.batch.records) for dead in self.destination.discarded]

    @property
    def acknowledged(self) -> str:
        return "".join(record.partition_key for step in self.steps for record in step.acknowledged)

    def at(self, partition_keys: str) -> list[float]:
        """The times at which this batch was delivered, in seconds from the start."""
        return [at for keys, at in zip(self.delivered, self.delivered_at, strict=True) if keys == partition_keys]

    def function(self, event: KinesisEvent) -> object:
        self.delivered.append(keys_of(event))
        self.delivered_at.append(self.clock.now() - self._began)
        respond = self._script.pop(0) if self._script else self._then
        return respond(event)
