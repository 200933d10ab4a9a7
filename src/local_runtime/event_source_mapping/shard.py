"""One shard: its poller, and the lanes that deliver what it reads."""

import math
import zlib

from local_runtime.event_source_mapping.job import Job
from local_runtime.event_source_mapping.lane import Lane
from local_runtime.event_source_mapping.poller import Poller
from local_runtime.event_source_mapping.progress import Progress
from local_runtime.event_source_mapping.reader import Position, after

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
