"""Order within a shard and a partition key, restarts, and reading."""

from local_runtime.event_source_mapping import TransientError
from tests.local_runtime.event_source_mapping.scenario import Scenario, raises, raises_with, succeeds

REPORTS = ["ReportBatchItemFailures"]


def test_a_shard_keeps_its_order() -> None:
    """A later batch waits until the one before it is done."""
    run = Scenario(raises, raises, BatchSize=2).run("abcd")

    assert run.delivered == ["ab", "ab", "ab", "cd"]


def test_a_shard_that_fails_does_not_stop_the_others() -> None:
    """All records of the other shard are delivered while the poison record waits for its next attempt."""
    run = Scenario(then=raises_with("p"), shards=2, BatchSize=1, MaximumRetryAttempts=5).run("pdpd")

    assert run.at("d") == [0, 0]
    assert run.at("p") == [0, 1, 3, 7, 15, 31] + [31 + seconds for seconds in (0, 1, 3, 7, 15, 31)]


def test_with_a_parallelization_factor_a_partition_key_keeps_its_order() -> None:
    """The second record with the failing key waits for the first. The other queue goes on."""
    run = Scenario(raises_with("p"), raises_with("p"), ParallelizationFactor=2, BatchSize=1)
    run.run("pdpd")

    assert (run.at("p"), run.at("d")) == ([0, 1, 1], [0, 0])


def test_with_a_parallelization_factor_the_checkpoint_waits_for_the_slowest_queue() -> None:
    """It never passes a record that is not done, however far the other queues are."""
    run = Scenario(then=raises_with("p"), ParallelizationFactor=2, BatchSize=1, MaximumRetryAttempts=2)
    run.run("dpd")

    assert run.at("d") == [0, 0]
    assert ["".join(record.partition_key for record in step.acknowledged) for step in run.steps] == ["d", "d"]
    assert [step.iterator_age_ms for step in run.steps] == [0, 3000]


def test_a_restart_continues_after_the_checkpoint() -> None:
    """Records up to the checkpoint are not delivered again."""
    run = Scenario().run("ab")
    run.run("cd")

    assert run.delivered == ["ab", "cd"]


def test_a_restart_delivers_again_what_was_not_checkpointed() -> None:
    """Delivery is at least once: the second mapping gets every record after the checkpoint."""
    run = Scenario(succeeds, raises, BatchSize=2)
    run.put("abcd")
    run.mapping().run(lambda: len(run.delivered) == 2)
    run.mapping().drain()

    assert run.delivered == ["ab", "cd", "cd"]


def test_a_batch_in_progress_is_finished_before_the_loop_stops() -> None:
    """Its checkpoint is saved, and no other batch is started."""
    run = Scenario(BatchSize=1)
    run.put("ab")
    run.mapping().run(lambda: bool(run.delivered))

    assert (run.delivered, run.acknowledged) == (["a"], "a")


def test_latest_skips_earlier_records() -> None:
    """Only records that are put after the first poll are delivered."""
    run = Scenario(StartingPosition="LATEST")
    run.put("ab")
    mapping = run.mapping()
    mapping.drain()
    run.put("c")
    mapping.drain()

    assert run.delivered == ["c"]


def test_latest_loses_nothing_when_its_first_iterator_expires() -> None:
    """Reading continues from the time at which it began, not from the new tip."""
    run = Scenario(StartingPosition="LATEST")
    run.put("a")
    run.clock.sleep(1)
    mapping = run.mapping()
    mapping.drain()
    run.put("b")
    run.stream.expire_iterators()
    mapping.drain()

    assert run.delivered == ["b"]


def test_an_expired_iterator_is_renewed_at_the_same_position() -> None:
    """No record is skipped, and none is delivered twice."""
    run = Scenario()
    mapping = run.mapping()
    run.put("ab")
    mapping.drain()
    run.stream.expire_iterators()
    run.put("cd")
    mapping.drain()

    assert run.delivered == ["ab", "cd"]


def test_throttled_reads_are_retried() -> None:
    """The pauses grow: 1, 2 and 4 seconds."""
    run = Scenario()
    run.stream.fail_next(*[TransientError("slow down")] * 3)
    run.run("ab")

    assert (run.delivered, run.delivered_at) == (["ab"], [7])


def test_children_of_a_split_shard_come_after_their_parent() -> None:
    """A partition key keeps its order when its shard is split."""
    run = Scenario(raises)
    run.put("abc")
    run.stream.split("shardId-000000000000")
    run.put("deh")
    run.mapping().drain()

    assert run.delivered == ["abc", "abc", "de", "h"]


def test_nothing_is_read_while_every_queue_has_a_batch_in_progress() -> None:
    """This bounds the memory, however long a batch is retried."""
    run = Scenario(then=raises, BatchSize=2)
    run.put("ab")
    mapping = run.mapping()
    mapping.run(lambda: len(run.delivered) == 3)
    run.put("cd")
    run.stream.fail_next(AssertionError("this read should not have happened"))
    mapping.run(lambda: len(run.delivered) == 9)

    assert run.delivered == ["ab"] * 9


def test_a_window_collects_the_records_of_several_polls() -> None:
    """Here, the records of two polls make one batch."""
    run = Scenario(MaximumBatchingWindowInSeconds=5)
    mapping = run.mapping()
    run.put("ab")
    mapping.run(lambda: run.clock.now() - 1_700_000_000.0 > 3)
    run.put("c")
    mapping.drain()

    assert (run.delivered, run.delivered_at) == (["abc"], [5])


def test_an_event_has_records_of_one_shard() -> None:
    """A batch never mixes two shards."""
    shards: list[set[str]] = []

    def note(event: object) -> object:
        shards.append({record["eventID"].split(":")[0] for record in event["Records"]})  # type: ignore[index] # `object` stands for an event
        return None

    Scenario(then=note, shards=3).run("abcdefghi")

    assert [len(names) for names in shards] == [1] * len(shards)
