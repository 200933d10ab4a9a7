"""One function in a process of its own, fed from its stream: `python -m local_runtime.function_process`.

Standard output carries one message for each checkpoint and nothing else. What the handler prints or logs goes to
standard error.
"""

import logging
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, TextIO
from uuid import NAMESPACE_URL, uuid4, uuid5

import typer
from pydantic import ValidationError

from aws.clients import kinesis_client, s3_client
from local_runtime.event_source_mapping import (
    CheckpointStep,
    EventSourceMapping,
    FileCheckpoints,
    InMemoryCheckpoints,
    KinesisReader,
    MappingDependencies,
    MappingSettings,
    NoDestination,
    OnFailureDestination,
    S3Destination,
    SystemClock,
)
from local_runtime.handlers import function_arn, import_handler, with_context
from local_runtime.json_log import log_as_json
from local_runtime.messages import ConsumerCheckpoint, checkpoint_line

_FAN_OUT_SECONDS = 0.05
"""Between two looks at a shard with enhanced fan-out. AWS pushes a record within some 70 ms. The engine's own
SubscribeToShard looks only every 200 ms, which is slower than AWS."""


def main(  # noqa: PLR0913, PLR0917 - typer makes one option of each
    handler: Annotated[str, typer.Option(help="The handler, as package.module.function.")],
    stream: Annotated[str, typer.Option(help="The stream's name.")],
    mapping: Annotated[str, typer.Option(help="The SAM Kinesis event's Properties as JSON, references resolved.")],
    timeout: Annotated[float, typer.Option(help="The function's Timeout in seconds.")] = 60.0,
    poll_interval: Annotated[float, typer.Option(help="Seconds between polls of a shard at its tip.")] = 0.2,
    checkpoint_file: Annotated[Path | None, typer.Option(help="Continue from these checkpoints.")] = None,
) -> None:
    """Feed a handler from a stream until SIGTERM, Ctrl-C or the end of the parent process."""
    has_new_parent, pipe = parent_watch(), sys.stdout.fileno()
    is_stopped = _signal_watch()
    log_as_json(logging.WARNING)
    settings = _parse_settings(mapping)
    clock = SystemClock()
    dependencies = MappingDependencies(
        KinesisReader(kinesis_client(), stream),
        clock=clock,
        checkpoints=FileCheckpoints(checkpoint_file) if checkpoint_file else InMemoryCheckpoints(),
        on_failure=_destination(settings, handler=handler, stream=stream),
        on_checkpoint=_checkpoint_writer(sys.stdout),
        poll_seconds=min(poll_interval, _FAN_OUT_SECONDS) if settings.has_fan_out else poll_interval,
        idle_poll_seconds=poll_interval if settings.has_fan_out else None,
    )
    with redirect_stdout(sys.stderr):
        function = with_context(import_handler(handler), function_name=handler, timeout=timeout, clock=clock)
        EventSourceMapping(settings, function, dependencies).run(
            lambda: is_stopped() or has_new_parent() or is_reader_gone(pipe)
        )


def parent_watch(current_parent: Callable[[], int] = os.getppid) -> Callable[[], bool]:
    """A function that tells whether another process has become our parent since this call."""
    first = current_parent()
    return lambda: current_parent() != first


def is_reader_gone(pipe: int) -> bool:
    """Whether nobody reads this pipe any more, which is so if the parent ended before `parent_watch` began.

    Always False for a file or a terminal.
    """
    poll = select.poll()
    poll.register(pipe, 0)  # errors are reported without a flag
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))


def checkpoint_message(step: CheckpointStep) -> ConsumerCheckpoint:
    """The message names batches: a record's partition key is its batch id."""
    return ConsumerCheckpoint(
        acknowledged=[record.partition_key for record in step.acknowledged],
        iterator_age_ms=step.iterator_age_ms,
        discarded=[record.partition_key for record in step.discarded],
    )


def _signal_watch() -> Callable[[], bool]:
    """A function that tells whether SIGTERM or SIGINT has come. They no longer end the process by themselves."""
    received: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _: received.append(signum))
    return lambda: bool(received)


def _parse_settings(mapping: str) -> MappingSettings:
    try:
        return MappingSettings.model_validate_json(mapping)
    except ValidationError as error:
        raise typer.BadParameter(str(error), param_hint="--mapping") from error


def _destination(settings: MappingSettings, *, handler: str, stream: str) -> OnFailureDestination:
    if settings.failure_bucket is None:
        return NoDestination()
    return S3Destination(
        s3_client(),
        settings.failure_bucket,
        mapping_id=str(uuid5(NAMESPACE_URL, f"{stream}/{handler}")),  # the same after a restart
        function_arn=function_arn(handler),
        new_id=lambda: str(uuid4()),
    )


def _checkpoint_writer(stdout: TextIO) -> Callable[[CheckpointStep], None]:
    def write(step: CheckpointStep) -> None:
        stdout.write(checkpoint_line(checkpoint_message(step)))
        stdout.flush()

    return write


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
