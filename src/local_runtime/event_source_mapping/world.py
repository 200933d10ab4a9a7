"""What every part of one mapping has to know."""

from dataclasses import dataclass, field

from local_runtime.event_source_mapping.checkpoints import (
    Checkpointed,
    CheckpointStore,
    InMemoryCheckpoints,
    OnCheckpoint,
)
from local_runtime.event_source_mapping.clock import Clock, SystemClock
from local_runtime.event_source_mapping.delivery import Backoff, Rules
from local_runtime.event_source_mapping.destinations import Nowhere, OnFailureDestination
from local_runtime.event_source_mapping.events import Function
from local_runtime.event_source_mapping.readers import StreamReader
from local_runtime.event_source_mapping.settings import MappingSettings

# What a mapping is given from outside, in one value.

LAMBDA_POLL_SECONDS = 1.0
"""Lambda asks a shard for more once a second (AWS: Using Lambda to process records from Kinesis)."""


def _nobody_listens(_: Checkpointed) -> None:
    return None


@dataclass(frozen=True, slots=True)
class World:
    """Everything but the reader has a default. `poll_seconds` is the pause after a page that reached the tip."""

    reader: StreamReader
    clock: Clock = field(default_factory=SystemClock)
    checkpoints: CheckpointStore = field(default_factory=InMemoryCheckpoints)
    on_failure: OnFailureDestination = field(default_factory=Nowhere)
    on_checkpoint: OnCheckpoint = _nobody_listens
    backoff: Backoff = field(default_factory=Backoff)
    poll_seconds: float = LAMBDA_POLL_SECONDS


@dataclass(frozen=True, slots=True)
class Job:
    """Which function gets which stream's records, by which settings, in which world."""

    stream_arn: str
    settings: MappingSettings
    function: Function
    world: World

    @property
    def rules(self) -> Rules:
        return Rules(self.settings, self.world.backoff)
