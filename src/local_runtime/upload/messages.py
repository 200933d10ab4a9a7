"""What the client and the consumers say on stdout, a JSON object a line."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from local_runtime.errors import RunError
from local_runtime.processes.process import Process


@dataclass(frozen=True)
class BatchAnswered:
    event: Literal["batch"]
    batch_id: str
    rows: int
    accepted: int
    rejected: int
    file_fraction: float


@dataclass(frozen=True)
class UploadSummary:
    event: Literal["summary"]
    rows_read: int
    accepted: int
    rejected: int
    not_sent: int
    seconds: float
    rejects_file: str | None = None


@dataclass(frozen=True)
class Acknowledged:
    """Batches that are behind a consumer's new checkpoint: handled, or `discarded` to the on-failure destination.

    `stage` is added by who reads the line.
    """

    acknowledged: list[str]
    iterator_age_ms: float
    stage: str = ""
    discarded: list[str] = field(default_factory=list)


Message: TypeAlias = BatchAnswered | UploadSummary | Acknowledged
Inbox: TypeAlias = "SimpleQueue[Message | RunError]"

_CLIENT: TypeAdapter[BatchAnswered | UploadSummary] = TypeAdapter(
    Annotated[BatchAnswered | UploadSummary, Field(discriminator="event")]
)
_CONSUMER: TypeAdapter[Acknowledged] = TypeAdapter(Acknowledged)


def from_client(line: bytes) -> Message:
    return _CLIENT.validate_json(line)


def from_consumer(stage: str) -> Callable[[bytes], Message]:
    return lambda line: replace(_CONSUMER.validate_json(line), stage=stage)


def listen(process: Process, read: Callable[[bytes], Message], inbox: Inbox) -> threading.Thread:
    """Put what the process says into the inbox, in a thread that ends when the process falls silent."""
    thread = threading.Thread(target=_listen, args=(process, read, inbox), daemon=True)
    thread.start()
    return thread


def _listen(process: Process, read: Callable[[bytes], Message], inbox: Inbox) -> None:
    for line in process.lines():
        try:
            inbox.put(read(line))
        except ValidationError:
            inbox.put(RunError(f"{process.command.name} said something on stdout that is no message of ours"))
