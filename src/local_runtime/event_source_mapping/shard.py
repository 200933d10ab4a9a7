"""One shard: its records are polled, queued by partition key, and delivered in order."""

import math
import zlib
from collections import deque
from collections.abc import Iterable

from local_runtime.event_source_mapping.checkpoints import ShardProgress
from local_runtime.event_source_mapping.delivery import (
    Batch,
    Buffer,
    after_destination_error,
    after_invocation,
    split_expired,
)
from local_runtime.event_source_mapping.dependencies import IDLE_SECONDS, MappingContext, MappingDependencies
from local_runtime.event_source_mapping.destinations import DiscardedBatch
from local_runtime.event_source_mapping.errors import IteratorExpired, TransientError
from local_runtime.event_source_mapping.events import StreamRecord, invoke
from local_runtime.event_source_mapping.readers import LATEST, Page, Position, after_sequence_number, at_timestamp

MAX_GET_RECORDS = 10_000
"""Records in one GetRecords response (AWS: Kinesis Data Streams quotas)."""


class ShardConsumer:
    """Starts behind the shard's checkpoint if there is one, otherwise at `start`.

    It has ParallelizationFactor queues, and a partition key always goes to the same one. To bound its memory, it polls
    only while at least one queue has no batch in progress, and fewer records wait than fill one batch per queue.
    """

    def __init__(self, shard_id: str, start: Position, context: MappingContext) -> None:
        settings, dependencies = context.settings, context.dependencies
        checkpoint = dependencies.checkpoints.load(shard_id)
        position = after_sequence_number(checkpoint) if checkpoint else start
        self._limit = min(settings.BatchSize * settings.ParallelizationFactor, MAX_GET_RECORDS)
        self._progress = ShardProgress(
            shard_id, dependencies.checkpoints, dependencies.on_checkpoint, dependencies.clock
        )
        self._poller = _Poller(shard_id, position, dependencies)
        self._queues = [_PartitionQueue(context, self._progress) for _ in range(settings.ParallelizationFactor)]

    @property
    def due(self) -> float:
        return min(self._poll_due, *(queue.due for queue in self._queues))

    @property
    def is_idle(self) -> bool:
        """All records that the shard held at the last poll are done."""
        return self._poller.is_at_tip and self._progress.is_complete

    @property
    def is_finished(self) -> bool:
        """The shard is closed, read to its end, and all its records are done."""
        return self._poller.is_finished and self._progress.is_complete

    def mark_dirty(self) -> None:
        """The shard may have new records: it is idle only after another poll."""
        if not self._poller.is_finished:
            self._poller.is_at_tip = False

    def step(self) -> None:
        """Do what is due first: one poll, or one batch."""
        queue = min(self._queues, key=lambda queue: queue.due)
        if queue.due <= self._poll_due:
            queue.step()
        else:
            self._poll()

    @property
    def _poll_due(self) -> float:
        has_room = sum(queue.buffered for queue in self._queues) < self._limit
        return self._poller.due if has_room and any(not queue.has_batch for queue in self._queues) else math.inf

    def _poll(self) -> None:
        records = self._poller.poll(self._limit)
        self._progress.add(records)
        for number, queue in enumerate(self._queues):
            queue.add(record for record in records if self._queue_number(record.partition_key) == number)

    def _queue_number(self, partition_key: str) -> int:
        return zlib.crc32(partition_key.encode()) % len(self._queues)


class _PartitionQueue:
    """Delivers the records of some partition keys: the first batch is done or discarded before the next one begins."""

    def __init__(self, context: MappingContext, progress: ShardProgress) -> None:
        self._context = context
        self._progress = progress
        self._clock = context.dependencies.clock
        self._buffer = Buffer(context.settings, context.stream_arn)
        self._batches: deque[Batch] = deque()

    @property
    def due(self) -> float:
        return self._batches[0].due if self._batches else self._buffer.due

    @property
    def buffered(self) -> int:
        """Records that are in no batch yet."""
        return len(self._buffer)

    @property
    def has_batch(self) -> bool:
        """A batch is in progress: it will be delivered again, or discarded."""
        return bool(self._batches)

    def add(self, records: Iterable[StreamRecord]) -> None:
        self._buffer.add(records, self._clock.now())

    def step(self) -> None:
        """Deliver or discard one batch. Call it only when `due`."""
        batch = self._batches.popleft() if self._batches else Batch(self._buffer.take())
        now = self._clock.now()
        first, *rest = split_expired(batch, self._context.settings, now)
        self._batches.extendleft(reversed(rest))
        if first.condition:
            self._discard(first, now)
        else:
            self._deliver(first)

    def _deliver(self, batch: Batch) -> None:
        context = self._context
        reports = context.settings.reports_item_failures
        outcome = invoke(context.function, batch.records, context.stream_arn, reports_item_failures=reports)
        disposition = after_invocation(batch, outcome, context.rules, self._clock.now())
        self._batches.extendleft(reversed(disposition.remaining))
        self._progress.acknowledge(disposition.acknowledged)

    def _discard(self, batch: Batch, now: float) -> None:
        context = self._context
        try:
            context.dependencies.on_failure.put(DiscardedBatch(batch, context.stream_arn, now))
        except TransientError:
            self._batches.appendleft(after_destination_error(batch, context.rules, now))
        else:
            self._progress.discard(batch.records)


class _Poller:
    """Reads one shard, and retries after an expired iterator or a transient error.

    `due` is infinity once a closed shard is read to its end. `is_at_tip` is True while the last page held the newest
    records.
    """

    def __init__(self, shard_id: str, start: Position, dependencies: MappingDependencies) -> None:
        self._shard_id = shard_id
        self._position = start
        self._dependencies = dependencies
        self._iterator: str | None = None
        self._failures = 0
        self.due = self._last_record = dependencies.clock.now()
        self.is_at_tip = False

    @property
    def is_finished(self) -> bool:
        return self.due == math.inf

    def poll(self, limit: int) -> tuple[StreamRecord, ...]:
        """The next records, possibly none. Sets `due` for the next poll."""
        now = self._dependencies.clock.now()
        try:
            page = self._read_page(limit, now)
        except IteratorExpired:
            self._iterator = None
            self.due = now
            return ()
        except TransientError:
            self._failures += 1
            self.due = now + self._dependencies.backoff.delay(self._failures)
            return ()
        self._failures = 0
        self._advance(page, now)
        return page.records

    def _read_page(self, limit: int, now: float) -> Page:
        reader = self._dependencies.reader
        if self._iterator is None:
            self._iterator = reader.get_iterator(self._shard_id, self._position)
            if self._position == LATEST:  # a second LATEST would skip the records put since the first
                self._position = at_timestamp(now)
        return reader.get_page(self._shard_id, self._iterator, limit)

    def _advance(self, page: Page, now: float) -> None:
        self._iterator = page.next_iterator
        if page.records:
            self._last_record = now
            self._position = after_sequence_number(page.records[-1].sequence_number)
        self.is_at_tip = page.behind_ms == 0 or page.next_iterator is None
        if page.next_iterator is None:
            self.due = math.inf
        else:
            self.due = now + self._pause(now) if self.is_at_tip else now

    def _pause(self, now: float) -> float:
        idle_pause = self._dependencies.idle_poll_seconds
        is_idle = now - self._last_record > IDLE_SECONDS
        return idle_pause if idle_pause and is_idle else self._dependencies.poll_seconds
