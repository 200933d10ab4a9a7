"""Both readers pass the same tests: the stream in memory can be read like the one of Kinesis."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import pytest

from local_runtime.event_source_mapping import (
    EventSourceMapping,
    InMemoryStream,
    KinesisReader,
    MappingDependencies,
    MappingSettings,
    TransientError,
    VirtualClock,
)
from local_runtime.event_source_mapping.errors import IteratorExpired
from local_runtime.event_source_mapping.readers import (
    LATEST,
    TRIM_HORIZON,
    Page,
    Position,
    StreamReader,
    after_sequence_number,
    at_timestamp,
)
from tests.local_runtime.event_source_mapping.failing_calls import fail_calls

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

SHARD = "shardId-000000000000"


class ReaderTests(ABC):
    """Each test begins with an empty stream of one shard."""

    @abstractmethod
    def reader(self) -> StreamReader: ...

    @abstractmethod
    def put(self, partition_key: str) -> None: ...

    @abstractmethod
    def expire_iterators(self) -> None: ...

    @abstractmethod
    def throttle(self) -> None: ...

    def read(self, position: Position, limit: int = 100) -> Page:
        reader = self.reader()
        return reader.get_page(SHARD, reader.get_iterator(SHARD, position), limit)

    def keys(self, position: Position) -> str:
        return "".join(record.partition_key for record in self.read(position).records)

    def test_a_stream_knows_its_arn(self) -> None:
        """Every event contains it."""
        assert self.reader().stream_arn().startswith("arn:aws:kinesis:us-east-1:")

    def test_a_shard_has_a_name_and_no_parents(self) -> None:
        """A shard has parents only after a split or a merge."""
        assert [(shard.shard_id, shard.parents) for shard in self.reader().list_shards()] == [(SHARD, ())]

    def test_trim_horizon_begins_with_the_oldest_record(self) -> None:
        """The records come in their order."""
        self.put("a")
        self.put("b")

        assert self.keys(TRIM_HORIZON) == "ab"

    def test_latest_begins_after_the_newest_record(self) -> None:
        """The same iterator reads the records that are put later."""
        self.put("a")
        reader = self.reader()
        iterator = reader.get_iterator(SHARD, LATEST)
        self.put("b")

        assert [record.partition_key for record in reader.get_page(SHARD, iterator, 100).records] == ["b"]

    def test_after_a_sequence_number_begins_with_the_next_record(self) -> None:
        """The record itself is not read again."""
        for key in "abc":
            self.put(key)
        second = self.read(TRIM_HORIZON).records[1]

        assert self.keys(after_sequence_number(second.sequence_number)) == "c"

    def test_at_a_timestamp_begins_with_the_first_record_after_it(self) -> None:
        """An early timestamp gives every record, a late one none."""
        self.put("a")
        (record,) = self.read(TRIM_HORIZON).records

        assert self.keys(at_timestamp(record.arrived - 10)) == "a"
        assert self.keys(at_timestamp(record.arrived + 10)) == ""

    def test_a_record_has_the_key_and_the_data_that_were_put(self) -> None:
        """It also has its shard, and a sequence number that is an integer."""
        self.put("a")
        (record,) = self.read(TRIM_HORIZON).records

        assert (record.shard_id, record.partition_key, record.data) == (SHARD, "a", b"a")
        assert int(record.sequence_number) > 0

    def test_sequence_numbers_grow_as_integers(self) -> None:
        """They follow the order in which the records were put."""
        for key in "abc":
            self.put(key)
        numbers = [int(record.sequence_number) for record in self.read(TRIM_HORIZON).records]

        assert numbers == sorted(set(numbers))

    def test_a_page_ends_at_the_limit_and_the_next_one_continues(self) -> None:
        """No record is skipped between two pages."""
        for key in "abc":
            self.put(key)
        first = self.read(TRIM_HORIZON, limit=2)
        second = self.reader().get_page(SHARD, first.next_iterator or "", 2)

        assert [len(first.records), len(second.records)] == [2, 1]

    def test_at_the_tip_a_page_is_not_behind(self) -> None:
        """The poller can pause then."""
        self.put("a")

        assert self.read(TRIM_HORIZON).behind_ms == 0

    def test_an_expired_iterator_has_an_error_of_its_own(self) -> None:
        """The poller gets a new iterator and continues, without a pause."""
        reader = self.reader()
        iterator = reader.get_iterator(SHARD, TRIM_HORIZON)
        self.expire_iterators()

        with pytest.raises(IteratorExpired):
            reader.get_page(SHARD, iterator, 100)

    def test_a_throttled_read_is_a_transient_error(self) -> None:
        """Kinesis allows five reads a second from a shard."""
        self.throttle()

        with pytest.raises(TransientError):
            self.read(TRIM_HORIZON)


class TestInMemoryStream(ReaderTests):
    @pytest.fixture(autouse=True)
    def stream_in_memory(self) -> None:
        self.stream = InMemoryStream(VirtualClock())

    def reader(self) -> StreamReader:
        return self.stream

    def put(self, partition_key: str) -> None:
        self.stream.put(partition_key, partition_key.encode())

    def expire_iterators(self) -> None:
        self.stream.expire_iterators()

    def throttle(self) -> None:
        self.stream.fail_next(TransientError("slow down"))

    def test_a_split_shard_ends_and_is_the_parent_of_two(self) -> None:
        """Its last page has no next iterator."""
        self.put("a")
        children = self.stream.split(SHARD)

        assert self.read(TRIM_HORIZON).next_iterator is None
        assert [shard.shard_id for shard in self.stream.list_shards() if shard.parents == (SHARD,)] == list(children)


class TestKinesisReader(ReaderTests):
    @pytest.fixture(autouse=True)
    def stream_of_moto(self, kinesis: "KinesisClient") -> None:
        self.kinesis = kinesis

    def reader(self) -> StreamReader:
        return KinesisReader(self.kinesis, "rows")

    def put(self, partition_key: str) -> None:
        self.kinesis.put_record(StreamName="rows", PartitionKey=partition_key, Data=partition_key.encode())

    def expire_iterators(self) -> None:
        fail_calls(self.kinesis, "GetRecords", code="ExpiredIteratorException")

    def throttle(self) -> None:
        fail_calls(self.kinesis, "GetRecords", code="ProvisionedThroughputExceededException")

    def test_children_name_their_parents(self) -> None:
        """The mapping needs them to keep the order."""
        self.kinesis.split_shard(StreamName="rows", ShardToSplit=SHARD, NewStartingHashKey=str(2**127))

        assert [shard.parents for shard in KinesisReader(self.kinesis, "rows").list_shards()] == [
            (),
            (SHARD,),
            (SHARD,),
        ]


class CountedStream(InMemoryStream):
    """Keeps when it was read, in seconds from the start."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.times: list[float] = []
        self._now = clock.now
        self._began = clock.now()

    def get_page(self, shard_id: str, iterator: str, limit: int) -> Page:
        self.times.append(self._now() - self._began)
        return super().get_page(shard_id, iterator, limit)


def test_an_idle_shard_is_read_less_often() -> None:
    """After five seconds without a record; the next record makes it busy again."""
    clock = VirtualClock()
    stream = CountedStream(clock)
    dependencies = MappingDependencies(stream, clock=clock, poll_seconds=0.1, idle_poll_seconds=1.0)
    settings = MappingSettings.model_validate({"StartingPosition": "TRIM_HORIZON"})
    mapping = EventSourceMapping(settings, lambda _: None, dependencies)
    began = clock.now()
    mapping.run(lambda: clock.now() - began > 15)
    stream.put("a")
    mapping.run(lambda: clock.now() - began > 18)
    reads = [sum(start <= each < start + 3 for each in stream.times) for start in (0, 10, 15)]
    assert (reads[0] >= 29, reads[1] <= 4, reads[2] >= 15) == (True, True, True)
