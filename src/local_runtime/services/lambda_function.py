"""A Lambda handler as a function of its event: imported by name, called with a context object."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import TypeAlias
from uuid import uuid4

from local_runtime.event_source_mapping import Clock, KinesisEvent

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
