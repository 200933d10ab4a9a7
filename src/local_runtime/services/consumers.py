"""The consumers: for each function that a stream feeds, a process that polls and calls its handler as Lambda would."""

import json
from collections.abc import Mapping

from local_runtime.folder import RunFolder
from local_runtime.processes.process import Command, Process
from local_runtime.processes.supervisor import Supervisor
from local_runtime.stack.functions import Function


def start_consumer(
    supervisor: Supervisor, folder: RunFolder, function: Function, surroundings: Mapping[str, str]
) -> Process:
    """It sees its own variables of the template, and of the other functions' none."""
    return supervisor.start(
        Command(
            name=f"the consumer {stage_of(function)}",
            module="local_runtime.services.function_process",
            log=folder.logs / f"{stage_of(function)}.log",
            environment={**surroundings, **function.environment},
            arguments=_arguments(function),
            speaks=True,
        )
    )


def stage_of(function: Function) -> str:
    """`consumers.to_s3.handler` is the stage to_s3."""
    return function.handler.split(".")[-2]


def _arguments(function: Function) -> list[str]:
    return [
        *("--handler", function.handler),
        *("--stream", function.stream),
        *("--mapping", json.dumps(function.mapping)),
        *("--timeout", str(function.timeout_seconds)),
    ]
