"""The loop: whatever is due first, one piece of work at a time."""

import math
import zlib
from collections import deque
from collections.abc import Callable, Iterable

from invoices.errors import Retryable
from local_runtime.event_source_mapping.checkpoints import Progress
from local_runtime.event_source_mapping.delivery import (
    Batch,
    Buffer,
    after_invocation,
    destination_failed,
    too_old_apart,
)
from local_runtime.event_source_mapping.destinations import Discarded
from local_runtime.event_source_mapping.events import Function, StreamRecord, invoke
from local_runtime.event_source_mapping.readers import (
    LATEST,
    TRIM_HORIZON,
    IteratorExpired,
    Page,
    Position,
    Shard,
    after,
    at,
)
from local_runtime.event_source_mapping.settings import MappingSettings
from local_runtime.event_source_mapping.world import Job, World

# Which shards are read: at first all that are there, later the children of those that closed.


class Discovery:
    """Hands out each shard once, and a child only when its parents are finished, so that order is kept."""

    def __init__(self, start: Position) -> None:
        self._start = start
        self._starts: dict[str, Position] = {}
        self._handed_out: set[str] = set()

    def next_shards(self, listed: Iterable[Shard], finished: set[str], now: float) -> list[tuple[str, Position]]:
        """The shards to begin with now, each with the position where its reading begins."""
        listed = list(listed)
        for shard in listed:
            self._starts.setdefault(shard.shard_id, self._start)
        blocking = {shard.shard_id for shard in listed} - finished
        ready = [shard.shard_id for shard in listed if blocking.isdisjoint(shard.parents)]
        fresh = [shard_id for shard_id in ready if shard_id not in self._handed_out]
        self._handed_out.update(fresh)
        begun = [(shard_id, self._starts[shard_id]) for shard_id in fresh]
        self._later_shards_miss_nothing(now)
        return begun

    def _later_shards_miss_nothing(self, now: float) -> None:
        """LATEST means the time at which the mapping began, also for a shard that has to wait or does not exist yet."""
        self._starts = {name: at(now) if start == LATEST else start for name, start in self._starts.items()}
        self._start = TRIM_HORIZON


# Reading one shard from where it stands, through expired iterators and throttles.


class Poller:
    """`due` is infinity once a closed shard is read to its end; `at_the_tip` says that the last page was the newest."""

    def __init__(self, shard_id: str, start: Position, world: World) -> None:
        self._shard_id = shard_id
        self._position = start
        self._world = world
        self._iterator: str | None = None
        self._failures = 0
        self.due = world.clock.now()
        self.at_the_tip = False

    @property
    def is_finished(self) -> bool:
        return self.due == math.inf

    def poll(self, limit: int) -> tuple[StreamRecord, ...]:
        """The next records, perhaps none; sets when to ask again."""
        now = self._world.clock.now()
        try:
            page = self._read(limit, now)
        except IteratorExpired:
            self._iterator = None
            self.due = now
            return ()
        except Retryable:
            self._failures += 1
            self.due = now + self._world.backoff.delay(self._failures)
            return ()
        self._failures = 0
        self._go_on(page, now)
        return page.records

    def _read(self, limit: int, now: float) -> Page:
        reader = self._world.reader
        if self._iterator is None:
            self._iterator = reader.iterator(self._shard_id, self._position)
            if self._position == LATEST:  # a second LATEST would skip what was put since the first
                self._position = at(now)
        return reader.read(self._shard_id, self._iterator, limit)

    def _go_on(self, page: Page, now: float) -> None:
        self._iterator = page.next_iterator
        if page.records:
            self._position = after(page.records[-1].sequence_number)
        self.at_the_tip = page.behind_ms == 0 or page.next_iterator is None
        if page.next_iterator is None:
            self.due = math.inf
        else:
            self.due = now + self._world.poll_seconds if self.at_the_tip else now


# One line of batches, delivered strictly one after the other: a shard, or a share of its partition keys.


class Lane:
    """The first batch is retried, split or discarded before a later one is touched."""

    def __init__(self, job: Job, progress: Progress) -> None:
        self._job = job
        self._progress = progress
        self._clock = job.world.clock
        self._buffer = Buffer(job.settings, job.stream_arn)
        self._batches: deque[Batch] = deque()

    @property
    def due(self) -> float:
        return self._batches[0].due if self._batches else self._buffer.due

    @property
    def waiting(self) -> int:
        """Records that are in no batch yet."""
        return len(self._buffer)

    @property
    def is_free(self) -> bool:
        """No batch is in hand."""
        return not self._batches

    def add(self, records: Iterable[StreamRecord]) -> None:
        self._buffer.add(records, self._clock.now())

    def step(self) -> None:
        """Deliver or discard one batch. To be called when `due`."""
        batch = self._batches.popleft() if self._batches else Batch(self._buffer.take())
        now = self._clock.now()
        first, *rest = too_old_apart(batch, self._job.settings, now)
        self._batches.extendleft(reversed(rest))
        if first.condition:
            self._discard(first, now)
        else:
            self._deliver(first)

    def _deliver(self, batch: Batch) -> None:
        job = self._job
        reports = job.settings.reports_item_failures
        outcome = invoke(job.function, batch.records, job.stream_arn, reports_item_failures=reports)
        verdict = after_invocation(batch, outcome, job.rules, self._clock.now())
        self._batches.extendleft(reversed(verdict.remaining))
        self._progress.acknowledge(verdict.acknowledged)

    def _discard(self, batch: Batch, now: float) -> None:
        try:
            self._job.world.on_failure.put(Discarded(batch, self._job.stream_arn, now))
        except Retryable:
            self._batches.appendleft(destination_failed(batch, self._job.rules, now))
        else:
            self._progress.discard(batch.records)


# One shard: its poller, and the lanes that deliver what it reads.

MAX_GET_RECORDS = 10_000
"""Records in one GetRecords answer (AWS: Kinesis Data Streams quotas)."""


class ShardConsumer:
    """Goes on after the shard's checkpoint if there is one, and else from `start`.

    With a ParallelizationFactor there are so many lanes; a partition key always takes the same one. No more is read
    while every lane has a batch in hand or a batch for each lane waits, so memory stays bounded.
    """

    def __init__(self, shard_id: str, start: Position, job: Job) -> None:
        settings, world = job.settings, job.world
        checkpoint = world.checkpoints.load(shard_id)
        self._limit = min(settings.BatchSize * settings.ParallelizationFactor, MAX_GET_RECORDS)
        self._progress = Progress(shard_id, world.checkpoints, world.on_checkpoint, world.clock)
        self._poller = Poller(shard_id, after(checkpoint) if checkpoint else start, world)
        self._lanes = [Lane(job, self._progress) for _ in range(settings.ParallelizationFactor)]

    @property
    def due(self) -> float:
        return min(self._poll_due, *(lane.due for lane in self._lanes))

    @property
    def is_idle(self) -> bool:
        """Everything that the stream held at the last poll is done."""
        return self._poller.at_the_tip and self._progress.is_complete

    @property
    def is_finished(self) -> bool:
        """The shard is closed, read to its end and done."""
        return self._poller.is_finished and self._progress.is_complete

    def look_again(self) -> None:
        """Count as idle only after another poll."""
        if not self._poller.is_finished:
            self._poller.at_the_tip = False

    def step(self) -> None:
        """Whatever is due first: one poll, or one batch."""
        lane = min(self._lanes, key=lambda lane: lane.due)
        if lane.due <= self._poll_due:
            lane.step()
        else:
            self._poll()

    @property
    def _poll_due(self) -> float:
        has_room = sum(lane.waiting for lane in self._lanes) < self._limit
        return self._poller.due if has_room and any(lane.is_free for lane in self._lanes) else math.inf

    def _poll(self) -> None:
        records = self._poller.poll(self._limit)
        self._progress.read(records)
        for number, lane in enumerate(self._lanes):
            lane.add(record for record in records if self._lane_number(record.partition_key) == number)

    def _lane_number(self, partition_key: str) -> int:
        return zlib.crc32(partition_key.encode()) % len(self._lanes)


_DISCOVERY_SECONDS = 10.0
_LONGEST_NAP = 0.2  # seconds between two looks at `stop`


class NotDrained(Exception):
    """Records were still on their way when the time was over."""


class EventSourceMapping:
    """Delivers a stream's records to `function` by the rules of Lambda's Kinesis event source mapping.

    It calls the function from one thread, one batch at a time, as one Lambda environment does; shards and lanes take
    turns, and one that waits for its next try holds up no other.
    """

    def __init__(self, settings: MappingSettings, function: Function, world: World) -> None:
        self._settings = settings
        self._function = function
        self._world = world
        self._discovery = Discovery(Position(settings.StartingPosition))
        self._shards: dict[str, ShardConsumer] = {}
        self._finished: set[str] = set()
        self._discovery_due = world.clock.now()
        self._discovery_failures = 0

    def run(self, stop: Callable[[], bool]) -> None:
        """Work until `stop` says so; it is asked between two pieces of work, at least five times a second."""
        while not stop():
            self._step(_LONGEST_NAP)

    def drain(self, within: float = 3600.0) -> None:
        """Work until everything in the stream is acknowledged or discarded; NotDrained after `within` seconds."""
        clock = self._world.clock
        deadline = clock.now() + within
        self._discovery_due = clock.now()
        for shard in self._shards.values():
            shard.look_again()
        while not self._is_idle:
            if clock.now() >= deadline:
                raise NotDrained(f"not everything was done after {within:g} seconds")
            self._step(deadline - clock.now())

    @property
    def _is_idle(self) -> bool:
        discovered = self._discovery_due > self._world.clock.now() and not self._discovery_failures
        return discovered and all(shard.is_idle for shard in self._shards.values())

    def _step(self, longest_nap: float) -> None:
        shard_id, due = self._first_due()
        wait = due - self._world.clock.now()
        if wait > 0:
            self._world.clock.sleep(min(wait, longest_nap))
        elif shard_id is None:
            self._discover()
        else:
            self._shards[shard_id].step()
            self._forget_if_finished(shard_id)

    def _first_due(self) -> tuple[str | None, float]:
        """The shard whose turn it is; None stands for discovery."""
        dues = {shard_id: shard.due for shard_id, shard in self._shards.items()}
        first = min(dues, key=dues.__getitem__, default=None)
        if first is None or self._discovery_due <= dues[first]:
            return None, self._discovery_due
        return first, dues[first]

    def _discover(self) -> None:
        now = self._world.clock.now()
        try:
            stream_arn = self._world.reader.stream_arn()
            listed = self._world.reader.shards()
        except Retryable:
            self._discovery_failures += 1
            self._discovery_due = now + self._world.backoff.delay(self._discovery_failures)
            return
        self._discovery_failures = 0
        self._discovery_due = now + _DISCOVERY_SECONDS
        for shard_id, start in self._discovery.next_shards(listed, self._finished, now):
            self._shards[shard_id] = ShardConsumer(shard_id, start, self._job(stream_arn))

    def _job(self, stream_arn: str) -> Job:
        return Job(stream_arn, self._settings, self._function, self._world)

    def _forget_if_finished(self, shard_id: str) -> None:
        if self._shards[shard_id].is_finished:
            del self._shards[shard_id]
            self._finished.add(shard_id)
            self._discovery_due = -math.inf  # its children may begin
