"""One function in a process of its own, fed from the stream: `python -m local_runtime.function_process`.

Standard output carries one JSON object for each checkpoint and nothing else; whatever the handler prints or logs goes
to standard error.
"""

import json
import logging
import os
import select
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from string import Template
from typing import Annotated, Any, NotRequired, TextIO, TypeAlias, TypedDict, cast
from uuid import NAMESPACE_URL, uuid4, uuid5

import typer
from pydantic import ValidationError

from aws.clients import kinesis_client, s3_client
from local_runtime.event_source_mapping import (
    CheckpointStep,
    Clock,
    EventSourceMapping,
    FileCheckpoints,
    InMemoryCheckpoints,
    KinesisEvent,
    KinesisReader,
    MappingDependencies,
    MappingSettings,
    NoDestination,
    OnFailureDestination,
    S3Destination,
    SystemClock,
)
from local_runtime.json_log import log_as_json

# Noticing that the process that started us is gone.


def parent_watch(parent_of_this: Callable[[], int] = os.getppid) -> Callable[[], bool]:
    """A question to ask now and then: has another process become our parent since this call?"""
    first = parent_of_this()
    return lambda: parent_of_this() != first


def reader_is_gone(pipe: int) -> bool:
    """Nobody can read what is written to this end any more: the parent died even before it could be watched.

    Always False for a file or a terminal.
    """
    poll = select.poll()
    poll.register(pipe, 0)  # errors are told without being asked for
    return any(happened & (select.POLLERR | select.POLLHUP) for _, happened in poll.poll(0))


# A Lambda handler as a function of its event: imported by name, called with a context object.

Handler: TypeAlias = "Callable[[KinesisEvent, LambdaContext], object]"


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """The part of Lambda's context object that a handler here may use."""

    function_name: str
    deadline: float
    clock: Clock
    function_version: str = "$LATEST"
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def invoked_function_arn(self) -> str:
        return function_arn(self.function_name)

    def get_remaining_time_in_millis(self) -> int:
        return max(round((self.deadline - self.clock.now()) * 1000), 0)


def function_arn(function_name: str) -> str:
    return f"arn:aws:lambda:us-east-1:000000000000:function:{function_name}"


def imported_handler(path: str) -> Handler:
    """`package.module.handler`, imported; raises ImportError or AttributeError where there is none."""
    module, _, name = path.rpartition(".")
    handler: Handler = getattr(import_module(module), name)
    return handler


def with_context(
    handler: Handler, *, function_name: str, timeout: float, clock: Clock
) -> Callable[[KinesisEvent], object]:
    """The handler with a fresh context for each event.

    A handler is told its deadline, but nothing stops it there: keeping it is its own business.
    """

    def function(event: KinesisEvent) -> object:
        return handler(event, LambdaContext(function_name, clock.now() + timeout, clock))

    return function


_DEBUG_SECONDS = 24 * 60 * 60.0  # somebody may think at a breakpoint; a handler stops early when little time is left


def read_event(path: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """The JSON document in `path`. `$NAME` in it becomes the variable NAME where there is one: an API key, say."""
    event: dict[str, Any] = json.loads(Template(path.read_text()).safe_substitute(environment))
    return event


def invoke(handler: str, event: Mapping[str, Any]) -> object:
    """Call the handler `package.module.function` once and return its response: made for a debugger.

    It reads its settings from this process's environment.
    """
    function = with_context(
        imported_handler(handler), function_name=handler, timeout=_DEBUG_SECONDS, clock=SystemClock()
    )
    return function(cast("Any", event))


class CheckpointLine(TypedDict):
    """Partition keys of the records that the checkpoint just passed; `discarded` only where there are some."""

    acknowledged: list[str]
    iterator_age_ms: int
    discarded: NotRequired[list[str]]


def main(  # noqa: PLR0913, PLR0917 - typer makes one option of each
    handler: Annotated[str, typer.Option(help="The handler, as package.module.function.")],
    stream: Annotated[str, typer.Option(help="The stream's name.")],
    mapping: Annotated[str, typer.Option(help="The SAM Kinesis event's Properties as JSON, references resolved.")],
    timeout: Annotated[float, typer.Option(help="The function's Timeout in seconds, told to the handler.")] = 60.0,
    poll_interval: Annotated[float, typer.Option(help="Seconds between polls of a shard at its tip.")] = 0.2,
    checkpoint_file: Annotated[Path | None, typer.Option(help="Go on after these checkpoints.")] = None,
) -> None:
    """Feed a handler from a stream until SIGTERM, Ctrl-C or the end of the parent process."""
    parent_is_gone, pipe = parent_watch(), sys.stdout.fileno()
    stop_asked = _stop_asked()
    log_as_json(logging.WARNING)
    settings = _settings(mapping)
    clock = SystemClock()
    world = MappingDependencies(
        KinesisReader(kinesis_client(), stream),
        clock=clock,
        checkpoints=FileCheckpoints(checkpoint_file) if checkpoint_file else InMemoryCheckpoints(),
        on_failure=_on_failure(settings, handler=handler, stream=stream),
        on_checkpoint=_writer(sys.stdout),
        poll_seconds=poll_interval,
    )
    with redirect_stdout(sys.stderr):
        function = with_context(imported_handler(handler), function_name=handler, timeout=timeout, clock=clock)
        EventSourceMapping(settings, function, world).run(
            lambda: stop_asked() or parent_is_gone() or reader_is_gone(pipe)
        )


def _stop_asked() -> Callable[[], bool]:
    """Whether SIGTERM or SIGINT has come; from now on they end nothing by themselves."""
    signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: signals.append(received))
    return lambda: bool(signals)


def _settings(mapping: str) -> MappingSettings:
    try:
        return MappingSettings.model_validate_json(mapping)
    except ValidationError as error:
        raise typer.BadParameter(str(error), param_hint="--mapping") from error


def _on_failure(settings: MappingSettings, *, handler: str, stream: str) -> OnFailureDestination:
    if settings.failure_bucket is None:
        return NoDestination()
    return S3Destination(
        s3_client(),
        settings.failure_bucket,
        mapping_id=str(uuid5(NAMESPACE_URL, f"{stream}/{handler}")),  # the same after a restart
        function_arn=function_arn(handler),
        new_id=lambda: str(uuid4()),
    )


def _writer(stdout: TextIO) -> Callable[[CheckpointStep], None]:
    def write(step: CheckpointStep) -> None:
        stdout.write(json.dumps(checkpoint_line(step)) + "\n")
        stdout.flush()

    return write


def checkpoint_line(step: CheckpointStep) -> CheckpointLine:
    """What the parent is told of one step of a checkpoint."""
    line: CheckpointLine = {
        "acknowledged": [record.partition_key for record in step.acknowledged],
        "iterator_age_ms": step.iterator_age_ms,
    }
    if step.discarded:
        line["discarded"] = [record.partition_key for record in step.discarded]
    return line


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
