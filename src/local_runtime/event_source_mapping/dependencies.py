"""What a mapping depends on: a test can replace each part."""

from dataclasses import dataclass, field

from local_runtime.event_source_mapping.checkpoints import (
    CheckpointStep,
    CheckpointStore,
    InMemoryCheckpoints,
    OnCheckpoint,
)
from local_runtime.event_source_mapping.clock import Clock, SystemClock
from local_runtime.event_source_mapping.delivery import Backoff, RetryRules
from local_runtime.event_source_mapping.destinations import NoDestination, OnFailureDestination
from local_runtime.event_source_mapping.events import Function
from local_runtime.event_source_mapping.readers import StreamReader
from local_runtime.event_source_mapping.settings import MappingSettings

LAMBDA_POLL_SECONDS = 1.0
"""Lambda polls a shard once a second (AWS: Using Lambda to process records from Kinesis)."""


def _ignore(_: CheckpointStep) -> None:
    return None


IDLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class MappingDependencies:
    """Only the reader has no default. `poll_seconds` is the pause after a page that reached the tip.

    `idle_poll_seconds`, if it is given, is the pause once no record has come for `IDLE_SECONDS`.
    """

    reader: StreamReader
    clock: Clock = field(default_factory=SystemClock)
    checkpoints: CheckpointStore = field(default_factory=InMemoryCheckpoints)
    on_failure: OnFailureDestination = field(default_factory=NoDestination)
    on_checkpoint: OnCheckpoint = _ignore
    backoff: Backoff = field(default_factory=Backoff)
    poll_seconds: float = LAMBDA_POLL_SECONDS
    idle_poll_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class MappingContext:
    """What every part of one mapping knows: its stream, settings, function and dependencies."""

    stream_arn: str
    settings: MappingSettings
    function: Function
    dependencies: MappingDependencies

    @property
    def rules(self) -> RetryRules:
        return RetryRules(self.settings, self.dependencies.backoff)
