"""A Lambda handler as a function of its event: imported by its name, and called with a context object."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from string import Template
from typing import Any, TypeAlias, cast
from uuid import uuid4

from aws.lambda_events import KinesisEvent
from local_runtime.event_source_mapping import Clock, SystemClock

Handler: TypeAlias = "Callable[[KinesisEvent, LambdaContext], object]"

_DEBUG_SECONDS = 24 * 60 * 60.0  # long enough for a breakpoint: a handler stops early when little time is left


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """The part of Lambda's context object that a handler here may use. `deadline` is a time of the clock."""

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


def import_handler(path: str) -> Handler:
    """Import `package.module.handler`. Raises ImportError or AttributeError."""
    module, _, name = path.rpartition(".")
    handler: Handler = getattr(import_module(module), name)
    return handler


def with_context(
    handler: Handler, *, function_name: str, timeout: float, clock: Clock
) -> Callable[[KinesisEvent], object]:
    """A function that calls the handler with a new context for each event.

    The context tells the handler its deadline, but nothing stops a handler that misses it.
    """

    def function(event: KinesisEvent) -> object:
        return handler(event, LambdaContext(function_name, clock.now() + timeout, clock))

    return function


def invoke(handler: str, event: Mapping[str, Any]) -> object:
    """Call the handler `package.module.function` once, for example under a debugger, and return its response.

    The handler reads its settings from this process's environment.
    """
    function = with_context(import_handler(handler), function_name=handler, timeout=_DEBUG_SECONDS, clock=SystemClock())
    return function(cast("Any", event))


def read_event(path: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Read the JSON in `path` and replace each `$NAME` with the environment variable NAME, if it is set."""
    event: dict[str, Any] = json.loads(Template(path.read_text()).safe_substitute(environment))
    return event


def function_arn(function_name: str) -> str:
    return f"arn:aws:lambda:us-east-1:000000000000:function:{function_name}"
