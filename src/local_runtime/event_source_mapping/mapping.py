"""The loop of the mapping: it finds the stream's shards and does one task at a time, whatever is due first."""

import math
from collections.abc import Callable, Iterable

from local_runtime.event_source_mapping.dependencies import MappingContext, MappingDependencies
from local_runtime.event_source_mapping.errors import NotDrained, TransientError
from local_runtime.event_source_mapping.events import Function
from local_runtime.event_source_mapping.readers import LATEST, TRIM_HORIZON, Position, Shard, at_timestamp
from local_runtime.event_source_mapping.settings import MappingSettings
from local_runtime.event_source_mapping.shard import ShardConsumer

_DISCOVERY_SECONDS = 10.0
_LONGEST_SLEEP = 0.2  # seconds between two calls of `should_stop`


class EventSourceMapping:
    """Delivers a stream's records to `function` by the rules of Lambda's Kinesis event source mapping.

    It calls the function from one thread, one batch at a time, as one Lambda environment does. Shards and their queues
    take turns, and one that waits for its next attempt does not delay the others.
    """

    def __init__(self, settings: MappingSettings, function: Function, dependencies: MappingDependencies) -> None:
        self._settings = settings
        self._function = function
        self._dependencies = dependencies
        self._clock = dependencies.clock
        self._discovery = ShardDiscovery(Position(settings.StartingPosition))
        self._shards: dict[str, ShardConsumer] = {}
        self._finished: set[str] = set()
        self._discovery_due = self._clock.now()
        self._discovery_failures = 0

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Work until `should_stop()` is true. It is called between pieces of work, at least five times a second."""
        while not should_stop():
            self._step(_LONGEST_SLEEP)

    def drain(self, within: float = 3600.0) -> None:
        """Work until every record of the stream is acknowledged or discarded; NotDrained after `within` seconds."""
        deadline = self._clock.now() + within
        self._discovery_due = self._clock.now()
        for shard in self._shards.values():
            shard.mark_dirty()
        while not self._is_idle:
            if self._clock.now() >= deadline:
                raise NotDrained(f"after {within:g} seconds, some records are not done")
            self._step(deadline - self._clock.now())

    @property
    def _is_idle(self) -> bool:
        is_discovered = self._discovery_due > self._clock.now() and not self._discovery_failures
        return is_discovered and all(shard.is_idle for shard in self._shards.values())

    def _step(self, longest_sleep: float) -> None:
        shard_id, due = self._first_due()
        wait = due - self._clock.now()
        if wait > 0:
            self._clock.sleep(min(wait, longest_sleep))
        elif shard_id is None:
            self._discover()
        else:
            self._shards[shard_id].step()
            self._remove_if_finished(shard_id)

    def _first_due(self) -> tuple[str | None, float]:
        """The shard whose turn it is; None stands for discovery."""
        dues = {shard_id: shard.due for shard_id, shard in self._shards.items()}
        first = min(dues, key=dues.__getitem__, default=None)
        if first is None or self._discovery_due <= dues[first]:
            return None, self._discovery_due
        return first, dues[first]

    def _discover(self) -> None:
        now = self._clock.now()
        try:
            stream_arn = self._dependencies.reader.stream_arn()
            listed = self._dependencies.reader.list_shards()
        except TransientError:
            self._discovery_failures += 1
            self._discovery_due = now + self._dependencies.backoff.delay(self._discovery_failures)
            return
        self._discovery_failures = 0
        self._discovery_due = now + _DISCOVERY_SECONDS
        context = MappingContext(stream_arn, self._settings, self._function, self._dependencies)
        for shard_id, start in self._discovery.next_shards(listed, self._finished, now):
            self._shards[shard_id] = ShardConsumer(shard_id, start, context)

    def _remove_if_finished(self, shard_id: str) -> None:
        if self._shards[shard_id].is_finished:
            del self._shards[shard_id]
            self._finished.add(shard_id)
            self._discovery_due = -math.inf  # its children can begin


class ShardDiscovery:
    """Returns each shard once, and a child only after its parents are finished, so that order is kept."""

    def __init__(self, start: Position) -> None:
        self._start = start
        self._starts: dict[str, Position] = {}
        self._returned: set[str] = set()

    def next_shards(self, listed: Iterable[Shard], finished: set[str], now: float) -> list[tuple[str, Position]]:
        """The shards to begin now, each with its starting position."""
        listed = list(listed)
        for shard in listed:
            self._starts.setdefault(shard.shard_id, self._start)
        unfinished = {shard.shard_id for shard in listed} - finished
        ready = [shard.shard_id for shard in listed if unfinished.isdisjoint(shard.parents)]
        new = [(shard_id, self._starts[shard_id]) for shard_id in ready if shard_id not in self._returned]
        self._returned.update(shard_id for shard_id, _ in new)
        self._fix_later_starts(now)
        return new

    def _fix_later_starts(self, now: float) -> None:
        """For a shard that begins later, LATEST means the time at which the mapping began, or it would skip records."""
        self._starts = {name: at_timestamp(now) if start == LATEST else start for name, start in self._starts.items()}
        self._start = TRIM_HORIZON
