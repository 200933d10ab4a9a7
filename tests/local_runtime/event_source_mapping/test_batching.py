"""A batch is ready when it is full, holds 6 MB, or its batching window has passed."""

import json
import math

from local_runtime.event_source_mapping import MappingSettings, StreamRecord
from local_runtime.event_source_mapping.delivery import MAX_PAYLOAD_BYTES, Buffer
from local_runtime.event_source_mapping.events import kinesis_event

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/rows"


def records(count: int, size: int = 1) -> list[StreamRecord]:
    return [StreamRecord("shardId-0", str(number), "key", b"x" * size, 0.0) for number in range(count)]


def buffer(size: int = 3, window: int = 5) -> Buffer:
    settings = MappingSettings(StartingPosition="LATEST", BatchSize=size, MaximumBatchingWindowInSeconds=window)
    return Buffer(settings, ARN)


def test_an_empty_buffer_is_never_due() -> None:
    """There is nothing to deliver, whatever the window."""
    assert buffer().due == math.inf


def test_the_window_opens_with_the_first_record_read() -> None:
    """Later records do not move it."""
    waiting = buffer(window=5)
    waiting.add(records(1), now=100.0)
    waiting.add(records(1), now=103.0)

    assert waiting.due == 105.0


def test_a_full_batch_does_not_wait_for_its_window() -> None:
    """With BatchSize records it is due at once."""
    waiting = buffer(size=3)
    waiting.add(records(3), now=100.0)

    assert waiting.due == -math.inf


def test_without_a_window_every_record_is_due_at_once() -> None:
    """A single record makes a batch."""
    waiting = buffer(window=0)
    waiting.add(records(1), now=100.0)

    assert waiting.due == 100.0


def test_a_batch_holds_no_more_than_the_batch_size() -> None:
    """The other records wait, in order."""
    waiting = buffer(size=3)
    waiting.add(records(4), now=100.0)

    assert [record.sequence_number for record in waiting.take()] == ["0", "1", "2"]
    assert [record.sequence_number for record in waiting.take()] == ["3"]


def test_an_event_stays_within_six_megabytes() -> None:
    """Of ten records of 1 MB, four fit: their data is in base64."""
    waiting = buffer(size=10)
    waiting.add(records(10, size=1_000_000), now=100.0)
    batch = waiting.take()

    assert len(batch) == 4
    assert len(json.dumps(kinesis_event(batch, ARN))) <= MAX_PAYLOAD_BYTES
    assert len(waiting) == 6


def test_six_megabytes_do_not_wait_for_the_window() -> None:
    """No further record would fit, so the batch is due at once."""
    waiting = buffer(size=10)
    waiting.add(records(5, size=1_000_000), now=100.0)

    assert waiting.due == -math.inf


def test_a_record_above_the_limit_is_delivered_alone() -> None:
    """If it waited, it would block its shard for ever."""
    waiting = buffer(size=10)
    waiting.add(records(1, size=MAX_PAYLOAD_BYTES), now=100.0)

    assert len(waiting.take()) == 1
