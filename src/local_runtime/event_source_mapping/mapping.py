"""The loop: whatever is due first, one piece of work at a time."""

import math
from collections.abc import Callable

from invoices.errors import Retryable
from local_runtime.event_source_mapping.discovery import Discovery
from local_runtime.event_source_mapping.invocation import Function
from local_runtime.event_source_mapping.job import Job
from local_runtime.event_source_mapping.reader import Position
from local_runtime.event_source_mapping.settings import MappingSettings
from local_runtime.event_source_mapping.shard import ShardConsumer
from local_runtime.event_source_mapping.world import World

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
