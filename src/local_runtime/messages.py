"""What the client and the consumers report to the run that started them: one JSON object on each line of stdout."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from local_runtime.errors import RunError


@dataclass(frozen=True)
class BatchResult:
    """The API has responded to one batch. `file_fraction` is how much of the file the client has read, from 0 to 1."""

    event: Literal["batch"]
    batch_id: str
    rows: int
    accepted: int
    rejected: int
    file_fraction: float


@dataclass(frozen=True)
class UploadSummary:
    """`dates` is the order in which dates with slashes were read; `notes` say what is special about the file."""

    event: Literal["summary"]
    rows_read: int
    accepted: int
    rejected: int
    not_sent: int
    seconds: float
    rejects_file: str | None = None
    dates: Literal["mdy", "dmy", "iso"] = "mdy"
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ConsumerCheckpoint:
    """A consumer's checkpoint has passed these batches: acknowledged ones, and ones that its mapping discarded.

    `stage` is the consumer's name. It is not on the line: the reader of the line knows it and adds it.
    """

    acknowledged: list[str]
    iterator_age_ms: float
    stage: str = ""
    discarded: list[str] = field(default_factory=list)


Message: TypeAlias = BatchResult | UploadSummary | ConsumerCheckpoint
Inbox: TypeAlias = "SimpleQueue[Message | RunError]"

_CLIENT: TypeAdapter[BatchResult | UploadSummary] = TypeAdapter(
    Annotated[BatchResult | UploadSummary, Field(discriminator="event")]
)
_CONSUMER: TypeAdapter[ConsumerCheckpoint] = TypeAdapter(ConsumerCheckpoint)


def parse_client_line(line: bytes) -> Message:
    return _CLIENT.validate_json(line)


def consumer_line_parser(stage: str) -> Callable[[bytes], Message]:
    return lambda line: replace(_CONSUMER.validate_json(line), stage=stage)


def checkpoint_line(checkpoint: ConsumerCheckpoint) -> str:
    """The message as a line, with its line break. Empty fields are left out."""
    return _CONSUMER.dump_json(checkpoint, exclude_defaults=True).decode() + "\n"


def start_listener(
    sender: str, lines: Iterable[bytes], parse: Callable[[bytes], Message], inbox: Inbox
) -> threading.Thread:
    """Put every message into the inbox, in a thread that ends with the lines.

    A line that is not a message becomes a RunError in the inbox.
    """

    def listen() -> None:
        for line in lines:
            try:
                inbox.put(parse(line))
            except ValidationError:
                inbox.put(RunError(f"{sender} wrote a line to stdout that is not a message"))

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    return thread
