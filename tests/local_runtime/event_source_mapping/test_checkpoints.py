"""Both checkpoint stores, in memory and in a file, behave alike."""

from pathlib import Path

import pytest

from local_runtime.event_source_mapping import CheckpointStore, FileCheckpoints, InMemoryCheckpoints


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CheckpointStore:
    return InMemoryCheckpoints() if request.param == "memory" else FileCheckpoints(tmp_path / "checkpoints.json")


def test_a_shard_without_a_checkpoint_has_none(store: CheckpointStore) -> None:
    """The mapping then reads from the starting position."""
    assert store.load("shardId-0") is None


def test_a_shard_keeps_its_last_checkpoint(store: CheckpointStore) -> None:
    """Each shard has a checkpoint of its own."""
    store.save("shardId-0", "9")
    store.save("shardId-1", "7")
    store.save("shardId-0", "10")

    assert (store.load("shardId-0"), store.load("shardId-1")) == ("10", "7")


def test_a_file_keeps_checkpoints_after_its_process(tmp_path: Path) -> None:
    """A second store with the same path has the checkpoint."""
    FileCheckpoints(tmp_path / "checkpoints.json").save("shardId-0", "9")

    assert FileCheckpoints(tmp_path / "checkpoints.json").load("shardId-0") == "9"


def test_a_process_killed_while_it_writes_leaves_the_old_state(tmp_path: Path) -> None:
    """The file is replaced as a whole, so an incomplete new file has no effect."""
    FileCheckpoints(tmp_path / "checkpoints.json").save("shardId-0", "9")
    (tmp_path / "checkpoints.json.new").write_text('{"shardId-0": "1')

    assert FileCheckpoints(tmp_path / "checkpoints.json").load("shardId-0") == "9"
