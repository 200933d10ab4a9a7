"""Retries, bisecting and discarding, as AWS documents them."""

from dataclasses import replace

import pytest

from local_runtime.event_source_mapping import (
    EventSourceMapping,
    InMemoryDestination,
    NoDestination,
    NotDrained,
    TransientError,
)
from local_runtime.event_source_mapping.destinations import DiscardedBatch
from tests.local_runtime.event_source_mapping.scenario import Scenario, raises, raises_with, reports, responds

REPORTS = ["ReportBatchItemFailures"]
WEEK = 7 * 24 * 3600.0


@pytest.mark.slow
def test_retries_and_age_are_unlimited_by_default() -> None:
    """A poison record blocks its shard: after a week it is still retried, and nothing is discarded."""
    blocked = Scenario(then=raises_with("p"))
    blocked.put("p")
    with pytest.raises(NotDrained):
        blocked.mapping().drain(within=WEEK)

    assert len(blocked.delivered) > WEEK / 61
    assert (blocked.acknowledged, blocked.discarded) == ("", [])


def test_everything_from_the_lowest_reported_number_is_delivered_again() -> None:
    """So are records after it that succeeded."""
    run = Scenario(reports("d", "c"), FunctionResponseTypes=REPORTS).run("abcde")

    assert run.delivered == ["abcde", "cde"]
    assert run.acknowledged == "abcde"


def test_the_checkpoint_moves_to_the_reported_record_at_once() -> None:
    """The records before it are done, although their batch is not."""
    run = Scenario(reports("c"), raises, FunctionResponseTypes=REPORTS).run("abcde")

    assert ["".join(record.partition_key for record in step.acknowledged) for step in run.steps] == ["ab", "cde"]


def test_without_the_setting_reported_failures_are_lost() -> None:
    """Lambda ignores the response then, and so does the mapping."""
    run = Scenario(reports("c")).run("abcde")

    assert run.delivered == ["abcde"]
    assert run.acknowledged == "abcde"


def test_a_function_error_fails_the_whole_batch() -> None:
    """The same batch is delivered again."""
    run = Scenario(raises).run("abc")

    assert run.delivered == ["abc", "abc"]


def test_a_malformed_response_fails_the_whole_batch() -> None:
    """These are a number, an unknown identifier, and a set, which JSON does not have."""
    unknown = responds({"batchItemFailures": [{"itemIdentifier": "404"}]})
    run = Scenario(responds(7), unknown, responds({1, 2}), FunctionResponseTypes=REPORTS).run("abc")

    assert run.delivered == ["abc"] * 4


def test_a_function_that_exits_is_a_function_error() -> None:
    """`sys.exit` in a handler does not end the poller."""

    def exits(_: object) -> object:
        raise SystemExit(1)

    assert Scenario(exits).run("a").delivered == ["a", "a"]


def test_maximum_retry_attempts_counts_retries_not_invocations() -> None:
    """With 0 there is one invocation, with 2 there are three."""
    never = Scenario(then=raises, MaximumRetryAttempts=0).run("a")
    twice = Scenario(then=raises, MaximumRetryAttempts=2).run("a")

    assert (len(never.delivered), len(twice.delivered)) == (1, 3)


def test_when_attempts_run_out_good_records_are_discarded_too() -> None:
    """The whole batch goes to the destination, and the shard continues."""
    run = Scenario(then=raises_with("p"), MaximumRetryAttempts=1, BatchSize=3).run("apbcde")

    assert run.delivered == ["apb", "apb", "cde"]
    assert run.discarded == ["apb"]
    assert run.acknowledged == "cde"


def test_partial_failures_use_up_attempts() -> None:
    """The remaining records are discarded when no attempt is left, although some succeeded each time."""
    run = Scenario(reports("b"), reports("c"), reports("d"), FunctionResponseTypes=REPORTS, MaximumRetryAttempts=2).run(
        "abcde"
    )

    assert run.delivered == ["abcde", "bcde", "cde"]
    assert (run.acknowledged, run.discarded) == ("abc", ["de"])


def test_bisecting_isolates_one_poison_record() -> None:
    """The other records are acknowledged in order, and only this one is discarded."""
    run = Scenario(then=raises_with("p"), BisectBatchOnFunctionError=True, MaximumRetryAttempts=1).run("abpd")

    assert run.delivered == ["abpd", "ab", "pd", "p", "p", "d"]
    assert (run.acknowledged, run.discarded) == ("abd", ["p"])


def test_bisecting_does_not_use_up_attempts() -> None:
    """Even without retries, one poison record among eight is isolated."""
    run = Scenario(then=raises_with("p"), BisectBatchOnFunctionError=True, MaximumRetryAttempts=0).run("abcdefgp")

    assert run.delivered == ["abcdefgp", "abcd", "efgp", "ef", "gp", "g", "p"]
    assert (run.acknowledged, run.discarded) == ("abcdefg", ["p"])


def test_a_partial_failure_is_split_at_the_reported_number() -> None:
    """It is not split in the middle. The records from that number on are retried, and no attempt is used up."""
    run = Scenario(
        reports("b"),
        reports("d"),
        FunctionResponseTypes=REPORTS,
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=0,
    ).run("abcde")

    assert run.delivered == ["abcde", "bcde", "de"]
    assert (run.acknowledged, run.discarded) == ("abcde", [])


def test_a_partial_failure_of_the_first_record_splits_nothing_and_uses_up_an_attempt() -> None:
    """A batch that always fails at its first record goes to the destination in the end, with its good records."""
    run = Scenario(
        then=reports("p"), FunctionResponseTypes=REPORTS, BisectBatchOnFunctionError=True, MaximumRetryAttempts=2
    ).run("pab")

    assert run.delivered == ["pab"] * 3
    assert run.discarded == ["pab"]


def test_function_errors_are_bisected_with_report_batch_item_failures_too() -> None:
    """AWS documents this."""
    run = Scenario(raises, FunctionResponseTypes=REPORTS, BisectBatchOnFunctionError=True).run("abcd")

    assert run.delivered == ["abcd", "ab", "cd"]


def test_retries_wait_twice_as_long_each_time() -> None:
    """The wait grows from one second, in this test, to a minute."""
    run = Scenario(*[raises] * 8).run("a")

    assert run.delivered_at == [0, 1, 3, 7, 15, 31, 63, 123, 183]


def test_records_that_are_too_old_are_discarded_before_an_invocation() -> None:
    """The newer records of their batch are delivered."""
    run = Scenario(MaximumRecordAgeInSeconds=60)
    run.put("ab")
    run.clock.sleep(50)
    run.put("c")
    run.clock.sleep(11)
    run.run("d")

    assert (run.delivered, run.discarded) == (["cd"], ["ab"])
    assert [dead.batch.condition for dead in run.destination.discarded] == ["RecordAgeExceeded"]


def test_a_record_of_exactly_the_maximum_age_is_delivered() -> None:
    """Only older ones are discarded."""
    run = Scenario(MaximumRecordAgeInSeconds=60)
    run.put("a")
    run.clock.sleep(60)
    run.mapping().drain()

    assert (run.delivered, run.discarded) == (["a"], [])


def test_a_record_that_becomes_too_old_during_retries_is_discarded() -> None:
    """The age limit ends unlimited retries."""
    run = Scenario(then=raises_with("p"), MaximumRecordAgeInSeconds=60).run("p")

    assert run.delivered_at == [0, 1, 3, 7, 15, 31]
    assert run.discarded == ["p"]


def test_a_destination_that_fails_loses_nothing() -> None:
    """Batch and checkpoint wait until the destination has the batch."""
    failures = [TransientError("S3 failed")] * 3

    class Failing(InMemoryDestination):
        def put(self, discarded: DiscardedBatch) -> None:
            if failures:
                raise failures.pop()
            super().put(discarded)

    run = Scenario(then=raises_with("p"), MaximumRetryAttempts=0, BatchSize=1)
    run.destination = Failing()
    run.run("pa")

    assert (run.discarded, run.acknowledged) == (["p"], "a")
    assert run.delivered_at == [0, 7]


def test_without_a_destination_the_shard_continues_and_a_warning_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The records are lost, as on AWS. The warning has their sequence numbers, and none of their content."""
    lossy = Scenario(then=raises_with("p"), MaximumRetryAttempts=0, BatchSize=1)
    lossy.put("pa")
    EventSourceMapping(
        lossy.settings, lossy.function, replace(lossy.dependencies(), on_failure=NoDestination())
    ).drain()

    assert lossy.acknowledged == "a"
    assert "1 records of shardId-000000000000 are lost, from 9 to 9 (RetryAttemptsExhausted)" in caplog.text


def test_a_function_error_is_logged_by_type_and_place_only(caplog: pytest.LogCaptureFixture) -> None:
    """The error's message may contain a row's values."""

    def names_a_customer(_: object, customer: str = "17850") -> object:
        raise KeyError(customer)

    Scenario(names_a_customer).run("a")

    assert "function error KeyError" in caplog.text
    assert "in names_a_customer" in caplog.text
    assert "17850" not in caplog.text
