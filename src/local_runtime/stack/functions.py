"""The template's functions: handler, environment, time limit, and the event that feeds each."""

from collections.abc import Mapping
from dataclasses import dataclass

from local_runtime.errors import RunError
from local_runtime.stack.template import PhysicalNames, Properties, Resource, Template, Value, mapping_at

_DEFAULT_TIMEOUT_SECONDS = 3  # Lambda's own


@dataclass(frozen=True)
class Function:
    """`mapping` holds the Properties of the function's Kinesis event; None where no stream feeds it."""

    name: str
    handler: str
    environment: Mapping[str, str]
    timeout_seconds: int
    mapping: Properties | None
    is_http: bool

    @property
    def stage(self) -> str:
        """The name of the handler's module: `consumers.to_s3.handler` is the stage to_s3."""
        return self.handler.split(".")[-2]

    @property
    def stream(self) -> str:
        """The name in the ARN of the stream, or in that of the stream's consumer."""
        arn = (self.mapping or {}).get("Stream")
        if not isinstance(arn, str):
            raise RunError(f"the template's {self.name} names no stream in its Kinesis event")
        return arn.partition("/")[2].partition("/")[0]


def read_functions(template: Template, physical: PhysicalNames) -> list[Function]:
    """Every function, with its references resolved and Globals applied. Raises RunError."""
    shared = mapping_at(template.globals, "Function")
    return [_function(resource, shared, physical) for resource in template.of_type("AWS::Serverless::Function")]


def stream_functions(functions: list[Function]) -> list[Function]:
    return [function for function in functions if function.mapping is not None]


def http_function(functions: list[Function]) -> Function:
    """The one function behind the HTTP API. Raises RunError if there is none, or more than one."""
    found = [function for function in functions if function.is_http]
    if len(found) != 1:
        raise RunError(f"the template has {len(found)} functions with an HTTP event; the local runtime needs one")
    return found[0]


def _function(resource: Resource, shared: Properties, physical: PhysicalNames) -> Function:
    properties = {**shared, **resource.properties}
    handler = properties.get("Handler")
    timeout = properties.get("Timeout", _DEFAULT_TIMEOUT_SECONDS)
    if not isinstance(handler, str) or not isinstance(timeout, int):
        raise RunError(f"the template's {resource.name} needs a Handler and a whole number of seconds as Timeout")
    variables = {
        **mapping_at(shared, "Environment", "Variables"),
        **mapping_at(resource.properties, "Environment", "Variables"),
    }
    events = [event for event in mapping_at(properties, "Events").values() if isinstance(event, dict)]
    return Function(
        name=resource.name,
        handler=handler,
        environment={name: _text(physical.resolve(value), name) for name, value in variables.items()},
        timeout_seconds=timeout,
        mapping=_kinesis_mapping(resource.name, events, physical),
        is_http=any(event.get("Type") in {"HttpApi", "Api"} for event in events),
    )


def _kinesis_mapping(name: str, events: list[Properties], physical: PhysicalNames) -> Properties | None:
    mappings = [mapping_at(event, "Properties") for event in events if event.get("Type") == "Kinesis"]
    if len(mappings) > 1:
        raise RunError(f"the template's {name} has {len(mappings)} Kinesis events; the local runtime supports one")
    return physical.resolve_all(mappings[0]) if mappings else None


def _text(value: Value, name: str) -> str:
    """CloudFormation writes numbers and booleans into a variable as text."""
    match value:
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
        case _:
            raise RunError(f"the template's environment variable {name} is not text")
