"""How AWS reads a function's answer."""

import pytest

from local_runtime.event_source_mapping import StreamRecord
from local_runtime.event_source_mapping.events import Failure, Outcome, PartialFailure, Success, outcome_of

BATCH = [StreamRecord("shardId-0", number, "key", b"", 0.0) for number in ("9", "10", "11")]


def read(response: object, *, reports: bool = True) -> Outcome:
    return outcome_of(response, BATCH, reports_item_failures=reports)


def failing(*identifiers: object) -> dict[str, object]:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


@pytest.mark.parametrize("response", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_an_empty_or_null_answer_or_list_is_a_complete_success(response: object) -> None:
    """The four forms that AWS names."""
    assert read(response) == Success()


@pytest.mark.parametrize("identifier", ["", None, 9, "12", "9 "])
def test_an_empty_null_or_unknown_item_identifier_is_a_complete_failure(identifier: object) -> None:
    """It names no record of the batch."""
    assert read(failing(identifier)) == Failure(is_function_error=False)


def test_one_unknown_item_identifier_beside_a_known_one_is_a_complete_failure() -> None:
    """The answer as a whole is not to be trusted."""
    assert read(failing("10", "12")) == Failure(is_function_error=False)


def test_an_item_identifier_with_a_bad_key_name_is_a_complete_failure() -> None:
    """`itemidentifier` is another key."""
    assert read({"batchItemFailures": [{"itemidentifier": "10"}]}) == Failure(is_function_error=False)


@pytest.mark.parametrize(
    "response", ["", "done", 7, True, [], ["10"], {"batchItemFailures": "10"}, {"batchItemFailures": {}}]
)
def test_a_malformed_answer_is_a_complete_failure(response: object) -> None:
    """It is no object, or its list is none."""
    assert read(response) == Failure(is_function_error=False)


def test_the_lowest_sequence_number_is_the_checkpoint() -> None:
    """Compared as integers: 9 is lower than 10, although "10" sorts before "9"."""
    assert read(failing("10", "9")) == PartialFailure(0)
    assert read(failing("11", "10")) == PartialFailure(1)


def test_without_report_batch_item_failures_the_answer_is_ignored() -> None:
    """Even one that names every record: this is how data is lost in silence."""
    assert read(failing("9", "10", "11"), reports=False) == Success()
