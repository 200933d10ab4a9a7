"""Lambda's Kinesis event source mapping, as AWS documents it, on your own machine.

It reads a stream, calls a function with the events that Lambda would send, and treats the response as Lambda does:
batches by size, window and 6 MB; the lowest reported sequence number as checkpoint; retries, bisecting and record age;
the on-failure destination; order within a shard. Time is a parameter, so a test of a week of retries takes no time.

To test a consumer of your own, put records into a stream in memory, define your function, and drain the stream:

    >>> from local_runtime.event_source_mapping import (
    ...     EventSourceMapping, InMemoryDestination, InMemoryStream, MappingDependencies, MappingSettings, VirtualClock,
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
    >>> dependencies = MappingDependencies(stream, clock=clock, on_failure=dead_letters)
    >>> EventSourceMapping(settings, handler, dependencies).drain()
    >>> handled
    ['first', 'last']
    >>> [record.partition_key for dead in dead_letters.discarded for record in dead.batch.records]
    ['poison']

A second mapping with the same `MappingDependencies(checkpoints=...)` is a restart. Kinesis fails on demand:
`stream.fail_next(TransientError("slow down"))`, `stream.expire_iterators()`. For real streams and buckets there are
`KinesisReader` and `S3Destination`. The package imports pydantic, botocore and `aws.lambda_events`, nothing else.
"""

from aws.lambda_events import KinesisEvent
from local_runtime.event_source_mapping.checkpoints import (
    CheckpointStep,
    CheckpointStore,
    FileCheckpoints,
    InMemoryCheckpoints,
)
from local_runtime.event_source_mapping.clock import Clock, SystemClock, VirtualClock
from local_runtime.event_source_mapping.delivery import Backoff
from local_runtime.event_source_mapping.dependencies import MappingDependencies
from local_runtime.event_source_mapping.destinations import (
    DiscardedBatch,
    InMemoryDestination,
    NoDestination,
    OnFailureDestination,
    S3Destination,
)
from local_runtime.event_source_mapping.errors import NotDrained, TransientError
from local_runtime.event_source_mapping.events import StreamRecord
from local_runtime.event_source_mapping.mapping import EventSourceMapping
from local_runtime.event_source_mapping.readers import InMemoryStream, KinesisReader, StreamReader
from local_runtime.event_source_mapping.settings import MappingSettings

__all__ = [
    "Backoff",
    "CheckpointStep",
    "CheckpointStore",
    "Clock",
    "DiscardedBatch",
    "EventSourceMapping",
    "FileCheckpoints",
    "InMemoryCheckpoints",
    "InMemoryDestination",
    "InMemoryStream",
    "KinesisEvent",
    "KinesisReader",
    "MappingDependencies",
    "MappingSettings",
    "NoDestination",
    "NotDrained",
    "OnFailureDestination",
    "S3Destination",
    "StreamReader",
    "StreamRecord",
    "SystemClock",
    "TransientError",
    "VirtualClock",
]
