"""The lines that the client and the consumers write for the run that started them."""

import json
from queue import SimpleQueue

from local_runtime.errors import RunError
from local_runtime.event_source_mapping import CheckpointStep, StreamRecord
from local_runtime.function_process import checkpoint_message
from local_runtime.messages import (
    ConsumerCheckpoint,
    Inbox,
    checkpoint_line,
    consumer_line_parser,
    parse_client_line,
    start_listener,
)

BATCH = b'{"event":"batch","batch_id":"a","rows":10,"accepted":10,"rejected":0,"file_fraction":1.0,"more":1}'
SUMMARY = b'{"event":"summary","rows_read":10,"accepted":10,"rejected":0,"not_sent":0,"seconds":1.5}'
RECORD = StreamRecord("shardId-0", "9", "batch-1", b"", 0.0)


def test_a_checkpoint_becomes_one_line() -> None:
    """The partition keys of its records. Without discarded records the field is left out."""
    done = checkpoint_message(CheckpointStep("shardId-0", "9", (RECORD,), (), 12))
    discarded = checkpoint_message(CheckpointStep("shardId-0", "9", (), (RECORD,), 12))
    assert json.loads(checkpoint_line(done)) == {"acknowledged": ["batch-1"], "iterator_age_ms": 12}
    assert json.loads(checkpoint_line(discarded)) == {
        "acknowledged": [],
        "iterator_age_ms": 12,
        "discarded": ["batch-1"],
    }


def test_a_consumers_line_gets_its_stage() -> None:
    """Each consumer has a stdout of its own, so the line need not name it."""
    checkpoint = ConsumerCheckpoint(["a"], 3, discarded=["b"])
    parsed = consumer_line_parser("to_s3")(checkpoint_line(checkpoint).encode())
    assert parsed == ConsumerCheckpoint(["a"], 3, "to_s3", discarded=["b"])


def test_a_clients_line_is_parsed_by_its_event() -> None:
    """Fields that we do not use are ignored."""
    names = [type(parse_client_line(line)).__name__ for line in (BATCH, SUMMARY)]
    assert names == ["BatchResult", "UploadSummary"]


def test_a_line_that_is_not_a_message_is_an_error() -> None:
    """Without it, a figure would be too low and nobody would know."""
    inbox: Inbox = SimpleQueue()
    start_listener("the client", [b"hello\n", BATCH], parse_client_line, inbox).join()
    error = inbox.get()
    assert isinstance(error, RunError)
    assert (str(error), inbox.get()) == (
        "the client wrote a line to stdout that is not a message",
        parse_client_line(BATCH),
    )
