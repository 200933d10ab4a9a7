"""Which shards are read: at first all that are there, later the children of those that closed."""

from collections.abc import Iterable

from local_runtime.event_source_mapping.reader import LATEST, TRIM_HORIZON, Position, Shard, at


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
