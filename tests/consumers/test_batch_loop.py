"""The loop: permanent errors become dead letters, transient errors stop it, a bug is raised."""

import logging

import pytest

from aws.bucket import DeadLetter
from aws.lambda_events import BatchResponse, KinesisEvent
from aws.metrics import Metric
from aws.receipts import Receipt
from consumers.batch_loop import RESERVED_MILLIS, Outcome, PutDeadLetter, Record, Stage, consume
from invoices.errors import Malformed, Throttled
from tests.consumers.events import PLENTY, Clock, delivered, event_of
from tests.receipts import receipt
from tests.recorded_metrics import RecordedMetrics

OK: BatchResponse = {"batchItemFailures": []}


class Consumer:
    """Notes every record, and raises the error that the test plans for it. `dead` are payloads and reasons."""

    def __init__(self, errors: dict[bytes, Exception] | None = None) -> None:
        self.seen: list[bytes] = []
        self.dead: list[tuple[bytes, str]] = []
        self.metrics = RecordedMetrics()
        self._errors = errors or {}

    def consume(
        self, event: KinesisEvent, context: Clock = PLENTY, put_dead_letter: PutDeadLetter | None = None
    ) -> BatchResponse:
        stage = Stage(self._process, put_dead_letter or self._put_dead_letter)
        return consume(event, context, stage, self.metrics)

    def _process(self, record: Record) -> Outcome:
        self.seen.append(record.data)
        if record.data in self._errors:
            raise self._errors[record.data]
        return Outcome([Metric("Done", 1)])

    def _put_dead_letter(self, _batch_id: str, _sequence_number: str, dead_letter: DeadLetter) -> None:
        self.dead.append((dead_letter.payload, dead_letter.reason))


def test_every_record_of_an_event_is_processed() -> None:
    """Not only the first."""
    consumer = Consumer()
    assert (consumer.consume(event_of(b"a", b"b", b"c")), consumer.seen) == (OK, [b"a", b"b", b"c"])


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_poison_record_becomes_a_dead_letter_and_its_neighbours_do_not(position: int) -> None:
    """At any position: the others are processed, and Lambda learns that all is well."""
    records = [b"a", b"b", b"c"]
    consumer = Consumer({records[position]: Malformed("not gzip")})
    assert consumer.consume(event_of(*records)) == OK
    assert (consumer.seen, consumer.dead) == (records, [(records[position], "not gzip")])


def test_a_retryable_error_stops_the_loop_and_names_the_record() -> None:
    """Lambda redelivers from the lowest sequence number reported, so later records would be processed twice."""
    consumer = Consumer({b"b": Throttled("slow down")})
    response = consumer.consume(event_of(b"a", b"b", b"c"))
    assert (consumer.seen, response) == ([b"a", b"b"], {"batchItemFailures": [{"itemIdentifier": "2"}]})


def test_a_record_whose_dead_letter_cannot_be_written_is_redelivered() -> None:
    """It stays on the stream until it is safe somewhere else."""

    def fail(_batch_id: str, _sequence_number: str, _dead_letter: DeadLetter) -> None:
        raise Throttled("S3 asks to slow down")

    consumer = Consumer({b"a": Malformed("no")})
    response = consumer.consume(event_of(b"a"), put_dead_letter=fail)
    assert response == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert consumer.metrics.puts == []


def test_the_receipt_is_the_last_that_is_written() -> None:
    """Whoever can read it finds the stored rows in the tables and the others among the dead letters."""
    steps: list[str] = []
    outcome = Outcome([], DeadLetter(b"row", "no line"), receipt("batch-1"))

    def process(_record: Record) -> Outcome:
        steps.append("rows")
        return outcome

    stage = Stage(process, lambda *_: steps.append("dead letter"), lambda each: steps.append(each.batch_id))
    assert consume(event_of(b"a"), PLENTY, stage, RecordedMetrics()) == OK
    assert steps == ["rows", "dead letter", "batch-1"]


def test_a_record_whose_receipt_cannot_be_written_is_redelivered() -> None:
    """And counted only when it is."""

    def fail(_receipt: Receipt) -> None:
        raise Throttled("DynamoDB asks to slow down")

    metrics = RecordedMetrics()
    stage = Stage(lambda _: Outcome([Metric("Done", 1)], None, receipt("batch-1")), lambda *_: None, fail)
    response = consume(event_of(b"a"), PLENTY, stage, metrics)
    assert (response, metrics.puts) == ({"batchItemFailures": [{"itemIdentifier": "1"}]}, [])


def test_a_bug_is_raised() -> None:
    """It is neither rejected nor retryable: the invocation must fail."""
    with pytest.raises(ZeroDivisionError):
        Consumer({b"a": ZeroDivisionError()}).consume(event_of(b"a"))


def test_a_record_without_a_valid_batch_id_becomes_a_dead_letter() -> None:
    """Anybody may write to a stream, and the partition key becomes part of an object's key."""
    consumer = Consumer()
    consumer.consume({"Records": [delivered(b"a", batch_id="../../etc")]})
    assert ([data for data, _ in consumer.dead], consumer.seen) == ([b"a"], [])


def test_a_dead_letter_is_logged_by_batch_id_and_never_by_content(caplog: pytest.LogCaptureFixture) -> None:
    """People who may read the log may not be allowed to read the data."""
    with caplog.at_level(logging.DEBUG):
        Consumer({b"personal": Malformed("not gzip")}).consume(event_of(b"personal"))
    assert [vars(record)["batch_id"] for record in caplog.records] == ["batch-1"]
    assert "personal" not in caplog.text


def test_the_loop_stops_before_its_time_is_up() -> None:
    """What is done stays done; Lambda redelivers the rest."""
    consumer = Consumer()
    response = consumer.consume(event_of(b"a", b"b", b"c"), Clock(RESERVED_MILLIS, RESERVED_MILLIS - 1))
    assert (consumer.seen, response) == ([b"a", b"b"], {"batchItemFailures": [{"itemIdentifier": "3"}]})


def test_the_first_record_is_tried_whatever_the_time() -> None:
    """So every delivery makes progress."""
    consumer = Consumer()
    consumer.consume(event_of(b"a", b"b"), Clock(0))
    assert consumer.seen == [b"a"]
