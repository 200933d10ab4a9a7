"""The loop: rejected is set aside, retryable stops, a bug is seen."""

import logging

import pytest

from consumers.batch_loop import RESERVED_MILLIS, Keep, Process, consume
from consumers.dead_letters import DeadLetter
from consumers.records import Record
from invoices.errors import InvalidRows, Malformed, RowError, Throttled
from tests.consumers.events import PLENTY, Clock, delivered, event_of


class Folder:
    """Keeps in memory what was set aside."""

    def __init__(self) -> None:
        self.kept: list[tuple[bytes, str]] = []

    def keep(self, record: Record, set_aside: DeadLetter) -> None:
        self.kept.append((record.data, set_aside.reason))


def recording(seen: list[bytes], faults: dict[bytes, Exception] | None = None) -> Process:
    """Notes every record and raises the fault that is planned for it."""

    def process(record: Record) -> None:
        seen.append(record.data)
        if faults and record.data in faults:
            raise faults[record.data]

    return process


def test_every_record_of_an_event_is_processed() -> None:
    """Not the first alone."""
    seen: list[bytes] = []
    answer = consume(event_of(b"a", b"b", b"c"), recording(seen), Folder().keep, PLENTY)
    assert (seen, answer) == ([b"a", b"b", b"c"], {"batchItemFailures": []})


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_poison_record_is_set_aside_and_its_neighbours_are_not(position: int) -> None:
    """Wherever it stands, the others are processed and Lambda is told that all is well."""
    records = [b"a", b"b", b"c"]
    seen: list[bytes] = []
    folder = Folder()
    process = recording(seen, {records[position]: Malformed("not gzip")})
    assert consume(event_of(*records), process, folder.keep, PLENTY) == {"batchItemFailures": []}
    assert (seen, folder.kept) == (records, [(records[position], "not gzip")])


def test_a_retryable_fault_stops_the_loop_and_names_the_record() -> None:
    """Lambda delivers again from the lowest sequence number reported, so going on would be work done twice."""
    seen: list[bytes] = []
    process = recording(seen, {b"b": Throttled("slow down")})
    answer = consume(event_of(b"a", b"b", b"c"), process, Folder().keep, PLENTY)
    assert (seen, answer) == ([b"a", b"b"], {"batchItemFailures": [{"itemIdentifier": "2"}]})


def test_a_record_that_cannot_be_set_aside_is_delivered_again() -> None:
    """It is on the stream until it is safe somewhere else."""

    def full(_record: Record, _set_aside: DeadLetter) -> None:
        raise Throttled("S3 asks to slow down")

    keep: Keep = full
    answer = consume(event_of(b"a"), recording([], {b"a": Malformed("no")}), keep, PLENTY)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_a_bug_leaves_the_loop() -> None:
    """It is neither rejected nor retryable: Lambda has to see it."""
    with pytest.raises(ZeroDivisionError):
        consume(event_of(b"a"), recording([], {b"a": ZeroDivisionError()}), Folder().keep, PLENTY)


def test_a_record_without_a_batch_id_is_set_aside() -> None:
    """Anybody may write to a stream; a partition key stands in an object's key only if it was checked."""
    folder = Folder()
    consume({"Records": [delivered(b"a", batch_id="../../etc")]}, recording([]), folder.keep, PLENTY)
    assert [data for data, _ in folder.kept] == [b"a"]


def test_the_errors_of_rows_are_kept() -> None:
    """A record with nothing but invalid rows says what is wrong with each."""
    errors = [RowError(0, "Quantity", "is missing")]
    kept: list[DeadLetter] = []
    process = recording([], {b"a": InvalidRows("no row is valid", errors)})
    consume(event_of(b"a"), process, lambda _record, set_aside: kept.append(set_aside), PLENTY)
    assert kept == [DeadLetter(b"a", "no row is valid", tuple(errors))]


def test_what_is_set_aside_is_logged_by_name_and_never_by_content(caplog: pytest.LogCaptureFixture) -> None:
    """A log may be read by people who may not read the data."""
    with caplog.at_level(logging.DEBUG):
        consume(event_of(b"personal"), recording([], {b"personal": Malformed("not gzip")}), Folder().keep, PLENTY)
    assert [vars(record)["batch_id"] for record in caplog.records] == ["batch-1"]
    assert "personal" not in caplog.text


def test_the_loop_stops_before_its_time_is_up() -> None:
    """What was done stays done; the rest is delivered again."""
    seen: list[bytes] = []
    clock = Clock(RESERVED_MILLIS, RESERVED_MILLIS - 1)
    answer = consume(event_of(b"a", b"b", b"c"), recording(seen), Folder().keep, clock)
    assert (seen, answer) == ([b"a", b"b"], {"batchItemFailures": [{"itemIdentifier": "3"}]})


def test_the_first_record_is_tried_whatever_the_time() -> None:
    """So every delivery gets on."""
    seen: list[bytes] = []
    consume(event_of(b"a", b"b"), recording(seen), Folder().keep, Clock(0))
    assert seen == [b"a"]
