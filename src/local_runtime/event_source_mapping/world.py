"""What a mapping is given from outside, in one value."""

from dataclasses import dataclass, field

from local_runtime.event_source_mapping.backoff import Backoff
from local_runtime.event_source_mapping.checkpoint import CheckpointStore, InMemoryCheckpoints
from local_runtime.event_source_mapping.clock import Clock, SystemClock
from local_runtime.event_source_mapping.destination import Nowhere, OnFailureDestination
from local_runtime.event_source_mapping.progress import Checkpointed, OnCheckpoint
from local_runtime.event_source_mapping.reader import StreamReader

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
