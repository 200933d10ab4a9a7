"""Properties that hold for every behaviour of the function, with all settings."""

from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from aws.lambda_events import KinesisEvent
from local_runtime.event_source_mapping import CheckpointStep, EventSourceMapping
from local_runtime.event_source_mapping.readers import TRIM_HORIZON
from tests.local_runtime.event_source_mapping.scenario import Responder, Scenario, keys_of

LETTERS = "abcdefghijkl"
REPORTS = "ReportBatchItemFailures"


@dataclass
class Oracle:
    """Computes from the function's responses alone which records are done, and checks every checkpoint against them."""

    run: Scenario
    reports: bool
    done: set[str] = field(default_factory=set)
    passed_too_early: set[str] = field(default_factory=set)

    def responder(self, plan: str | list[int]) -> Responder:
        """`plan` is `succeeds`, `raises`, `garbage`, or the indexes of the records that are reported as failed."""

        def respond(event: KinesisEvent) -> object:
            keys = keys_of(event)
            self.done |= set(keys[: self._done_of(plan, len(keys))])
            return _response(plan, event)

        return respond

    def mapping(self) -> EventSourceMapping:
        dependencies = replace(self.run.dependencies(), on_checkpoint=self.check)
        return EventSourceMapping(self.run.settings, self.run.function, dependencies)

    def check(self, step: CheckpointStep) -> None:
        stream = self.run.stream
        records = stream.get_page(step.shard_id, stream.get_iterator(step.shard_id, TRIM_HORIZON), 100).records
        passed = {r.partition_key for r in records if int(r.sequence_number) <= int(step.sequence_number)}
        self.passed_too_early |= passed - self.done - self.discarded
        self.run.steps.append(step)

    @property
    def discarded(self) -> set[str]:
        return set("".join(self.run.discarded))

    @property
    def is_complete(self) -> bool:
        return len(self.run.acknowledged) + len(self.discarded) == len(LETTERS)

    def _done_of(self, plan: str | list[int], size: int) -> int:
        if plan == "succeeds" or (plan != "raises" and not self.reports):
            return size
        return min(place % size for place in plan) if isinstance(plan, list) else 0


def _response(plan: str | list[int], event: KinesisEvent) -> object:
    if plan == "raises":
        raise ValueError("a bug")
    if not isinstance(plan, list):
        return None if plan == "succeeds" else "garbage"
    numbers = [record["kinesis"]["sequenceNumber"] for record in event["Records"]]
    return {"batchItemFailures": [{"itemIdentifier": numbers[place % len(numbers)]} for place in plan]}


@st.composite
def oracles(draw: st.DrawFn) -> Oracle:
    """Any settings, and a function that behaves in any way for up to 25 invocations and then succeeds."""
    reports = draw(st.booleans())
    run = Scenario(
        shards=draw(st.integers(1, 3)),
        BatchSize=draw(st.integers(1, 8)),
        ParallelizationFactor=draw(st.integers(1, 3)),
        FunctionResponseTypes=[REPORTS] if reports else [],
        BisectBatchOnFunctionError=draw(st.booleans()),
        MaximumRetryAttempts=draw(st.integers(-1, 3)),
    )
    oracle = Oracle(run, reports)
    places = st.lists(st.integers(0, 7), min_size=1, max_size=3)
    plans = draw(st.lists(st.sampled_from(["succeeds", "raises", "garbage"]) | places, max_size=25))
    run.follow([oracle.responder(plan) for plan in plans], then=oracle.responder("succeeds"))
    return oracle


@given(oracle=oracles())
def test_every_record_is_acknowledged_or_discarded_and_never_both(oracle: Oracle) -> None:
    """No record is skipped, and the mapping comes to an end."""
    oracle.run.put(LETTERS)
    oracle.mapping().drain()

    assert sorted(oracle.run.acknowledged + "".join(oracle.run.discarded)) == list(LETTERS)
    assert set(oracle.run.acknowledged) <= oracle.done


@given(oracle=oracles())
def test_the_checkpoint_never_passes_a_record_that_is_not_done(oracle: Oracle) -> None:
    """The function has acknowledged every record up to it, or the destination has it."""
    oracle.run.put(LETTERS)
    oracle.mapping().drain()

    assert oracle.passed_too_early == set()


@given(oracle=oracles(), invocations=st.integers(1, 12))
def test_a_restart_at_any_moment_loses_nothing(oracle: Oracle, invocations: int) -> None:
    """The second mapping delivers every record after the checkpoint, some of them for the second time."""
    run = oracle.run
    run.put(LETTERS)
    oracle.mapping().run(lambda: len(run.delivered) >= invocations or oracle.is_complete)
    oracle.mapping().drain()

    assert oracle.done | oracle.discarded == set(LETTERS)
    assert oracle.passed_too_early == set()


@given(oracle=oracles())
def test_the_order_of_a_partition_key_is_kept(oracle: Oracle) -> None:
    """Its records reach the checkpoint in the order of the stream."""
    oracle.run.put("aaaabbbbaabb")
    oracle.mapping().drain()
    passed = [record for step in oracle.run.steps for record in step.acknowledged]

    for key in "ab":
        numbers = [int(record.sequence_number) for record in passed if record.partition_key == key]
        assert numbers == sorted(numbers)
