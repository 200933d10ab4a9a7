"""Lambda's Kinesis event source mapping, as AWS documents it, on your own machine.

It reads a stream, calls a function with the events that Lambda would send, and does with the answer what Lambda does:
batches by size, window and 6 MB; the lowest reported sequence number as checkpoint; retries, bisecting, record age;
the on-failure destination; order within a shard. Time is a parameter, so a test of a week of retries takes no time.

To test a consumer of your own, put records into a stream in memory, say how your function behaves, and drain:

    >>> from local_runtime.event_source_mapping import (
    ...     EventSourceMapping, InMemoryDestination, InMemoryStream, MappingSettings, VirtualClock, World,
    ... )
    >>> clock, dead_letters = VirtualClock(), InMemoryDestination()
    >>> stream = InMemoryStream(clock)
    >>> records = [stream.put(key) for key in ("first", "poison", "last")]
    >>> settings = MappingSettings(
    ...     StartingPosition="TRIM_HORIZON", BisectBatchOnFunctionError=True, MaximumRetryAttempts=2,
    ... )
    >>> handled = []
    >>> def handler(event):
    ...     keys = [record["kinesis"]["partitionKey"] for record in event["Records"]]
    ...     if "poison" in keys:
    ...         raise ValueError("cannot read this one")
    ...     handled.extend(keys)
    >>> EventSourceMapping(settings, handler, World(stream, clock=clock, on_failure=dead_letters)).drain()
    >>> handled
    ['first', 'last']
    >>> [record.partition_key for dead in dead_letters.discarded for record in dead.batch.records]
    ['poison']

A second mapping with the same `World(checkpoints=...)` is a restart; `stream.fail_next(Throttled("slow down"))` and
`stream.expire_iterators()` are Kinesis's own troubles. `KinesisReader` and `S3Destination` stand in for a real run.
"""

from aws.lambda_events import KinesisEvent
from local_runtime.event_source_mapping.checkpoints import (
    Checkpointed,
    CheckpointStore,
    FileCheckpoints,
    InMemoryCheckpoints,
)
from local_runtime.event_source_mapping.clock import Clock, SystemClock, VirtualClock
from local_runtime.event_source_mapping.delivery import Backoff
from local_runtime.event_source_mapping.destinations import (
    InMemoryDestination,
    Nowhere,
    OnFailureDestination,
    S3Destination,
)
from local_runtime.event_source_mapping.events import StreamRecord
from local_runtime.event_source_mapping.mapping import EventSourceMapping, NotDrained
from local_runtime.event_source_mapping.readers import InMemoryStream, KinesisReader
from local_runtime.event_source_mapping.settings import MappingSettings
from local_runtime.event_source_mapping.world import World

__all__ = [
    "Backoff",
    "CheckpointStore",
    "Checkpointed",
    "Clock",
    "EventSourceMapping",
    "FileCheckpoints",
    "InMemoryCheckpoints",
    "InMemoryDestination",
    "InMemoryStream",
    "KinesisEvent",
    "KinesisReader",
    "MappingSettings",
    "NotDrained",
    "Nowhere",
    "OnFailureDestination",
    "S3Destination",
    "StreamRecord",
    "SystemClock",
    "VirtualClock",
    "World",
]
