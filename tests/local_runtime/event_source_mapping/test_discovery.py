"""Which shards are begun when, and where."""

from local_runtime.event_source_mapping.mapping import ShardDiscovery
from local_runtime.event_source_mapping.readers import LATEST, TRIM_HORIZON, Shard, at_timestamp

PARENT = Shard("shardId-0")
CHILD = Shard("shardId-1", ("shardId-0",))


def test_a_shard_is_handed_out_once() -> None:
    """However often it is listed."""
    discovery = ShardDiscovery(TRIM_HORIZON)

    assert discovery.next_shards([PARENT], set(), 100.0) == [("shardId-0", TRIM_HORIZON)]
    assert discovery.next_shards([PARENT], set(), 110.0) == []


def test_a_child_waits_for_its_parent() -> None:
    """Until the parent is finished."""
    discovery = ShardDiscovery(TRIM_HORIZON)

    assert discovery.next_shards([PARENT, CHILD], set(), 100.0) == [("shardId-0", TRIM_HORIZON)]
    assert discovery.next_shards([PARENT, CHILD], {"shardId-0"}, 110.0) == [("shardId-1", TRIM_HORIZON)]


def test_a_child_whose_parent_is_listed_no_more_does_not_wait() -> None:
    """The parent's records have expired."""
    assert ShardDiscovery(TRIM_HORIZON).next_shards([CHILD], set(), 100.0) == [("shardId-1", TRIM_HORIZON)]


def test_a_child_that_waits_begins_when_the_mapping_began() -> None:
    """LATEST at its own beginning would skip what was put while it waited."""
    discovery = ShardDiscovery(LATEST)

    assert discovery.next_shards([PARENT, CHILD], set(), 100.0) == [("shardId-0", LATEST)]
    assert discovery.next_shards([PARENT, CHILD], {"shardId-0"}, 110.0) == [("shardId-1", at_timestamp(100.0))]


def test_a_shard_that_appears_later_is_read_from_its_first_record() -> None:
    """All of it is newer than the mapping, whatever the starting position."""
    discovery = ShardDiscovery(LATEST)
    discovery.next_shards([PARENT], set(), 100.0)

    assert discovery.next_shards([PARENT, Shard("shardId-2")], set(), 110.0) == [("shardId-2", TRIM_HORIZON)]
