"""When each shard is started, and at which position."""

from local_runtime.event_source_mapping.mapping import ShardDiscovery
from local_runtime.event_source_mapping.readers import LATEST, TRIM_HORIZON, Shard, at_timestamp

PARENT = Shard("shardId-0")
CHILD = Shard("shardId-1", ("shardId-0",))


def test_a_shard_is_started_once() -> None:
    """Kinesis lists it again each time."""
    discovery = ShardDiscovery(TRIM_HORIZON)

    assert discovery.next_shards([PARENT], set(), 100.0) == [("shardId-0", TRIM_HORIZON)]
    assert discovery.next_shards([PARENT], set(), 110.0) == []


def test_a_child_waits_for_its_parent() -> None:
    """It starts when the parent is finished."""
    discovery = ShardDiscovery(TRIM_HORIZON)

    assert discovery.next_shards([PARENT, CHILD], set(), 100.0) == [("shardId-0", TRIM_HORIZON)]
    assert discovery.next_shards([PARENT, CHILD], {"shardId-0"}, 110.0) == [("shardId-1", TRIM_HORIZON)]


def test_a_child_whose_parent_is_not_listed_does_not_wait() -> None:
    """All records of the parent have expired."""
    assert ShardDiscovery(TRIM_HORIZON).next_shards([CHILD], set(), 100.0) == [("shardId-1", TRIM_HORIZON)]


def test_a_child_that_waits_is_read_from_the_time_at_which_the_mapping_began() -> None:
    """With LATEST at its own start, the records put while it waited would be skipped."""
    discovery = ShardDiscovery(LATEST)

    assert discovery.next_shards([PARENT, CHILD], set(), 100.0) == [("shardId-0", LATEST)]
    assert discovery.next_shards([PARENT, CHILD], {"shardId-0"}, 110.0) == [("shardId-1", at_timestamp(100.0))]


def test_a_shard_that_appears_later_is_read_from_its_first_record() -> None:
    """All of its records are newer than the mapping, so LATEST must not skip any."""
    discovery = ShardDiscovery(LATEST)
    discovery.next_shards([PARENT], set(), 100.0)

    assert discovery.next_shards([PARENT, Shard("shardId-2")], set(), 110.0) == [("shardId-2", TRIM_HORIZON)]
