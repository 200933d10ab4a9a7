"""The designs that are compared: what their templates say, as far as it costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from local_runtime.stack.functions import Function, read_functions
from local_runtime.stack.template import Intrinsic, Template, physical_names, read_template

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
API, TO_S3, TO_DYNAMODB = "ApiFunction", "ToS3Function", "ToDynamodbFunction"
REFRESH, VACUUM = "ToLakeFunction", "VacuumLakeFunction"

_FUNCTIONS = (API, TO_S3, TO_DYNAMODB)
_STACK = "invoice-stream"  # the namespace of the metrics, which is in each log line and so in the bill
_MAPPING_METRICS = 6  # Lambda, "Event source mapping metrics": the group EventCount of a stream
_MONTHLY_RUNS = {"rate(1 hour)": 730}
_ENCRYPTED = ("AWS::Kinesis::Stream", "AWS::DynamoDB::Table")


@dataclass(frozen=True, slots=True)
class Design:
    """`gateway` is `HTTP API` or `REST API`; memory is in MB by function.

    `service_metrics` are those that AWS sends for money because the template asks for them; `key_users` the pairs of a
    role and what it reaches under a key of KMS; `archives`: large objects move to a colder class; `shards`: 0 where the
    stream is on demand; `has_fan_out`: one of the consumers has; `refreshes` a month, also when nothing is new.
    """

    name: str
    gateway: str
    memory: Mapping[str, int]
    alarms: int = 0
    dashboards: int = 0
    service_metrics: int = 0
    key_users: int = 0
    key_reads_per_request: int = 0
    object_reads_per_delivery: int = 0
    stream_days: float = 1
    shards: int = 0
    has_fan_out: bool = False
    log_days: float = 30
    archives: bool = False
    refreshes: int = 0
    refresh_memory: int = 0


IDIOMATIC = Design("idiomatic", "HTTP API", {API: 1769, TO_S3: 512, TO_DYNAMODB: 1769})


def our_design() -> Design:
    """As template.yaml has it, with every parameter at its default."""
    events = [event["Properties"] for name in _FUNCTIONS for event in setting(name, "Events").values()]
    return Design(
        "ours",
        "HTTP API",
        {name: setting(name, "MemorySize") for name in _FUNCTIONS},
        alarms=len(_template().of_type("AWS::CloudWatch::Alarm")),
        dashboards=len(_template().of_type("AWS::CloudWatch::Dashboard")),
        service_metrics=sum("MetricsConfig" in event for event in events) * _MAPPING_METRICS,
        key_users=len(set(_key_users(_template()))),
        key_reads_per_request=1,
        object_reads_per_delivery=1,
        stream_days=retention_days(),
        log_days=setting("ApiLog", "RetentionInDays"),
        has_fan_out=True,
        archives=True,
        refreshes=_MONTHLY_RUNS[setting(REFRESH, "Events", "Refresh", "Properties", "Schedule")],
        refresh_memory=setting(REFRESH, "MemorySize"),
    )


def small_design() -> Design:
    """As template.yaml has it with `Size=small`."""
    return replace(our_design(), name="ours, small", shards=1, has_fan_out=False, stream_days=1)


def setting(resource: str, *names: str) -> Any:
    """A property of a resource of template.yaml, under these names one inside the other. Raises KeyError."""
    value: Any = _template().resources[resource].properties
    for name in names:
        value = value[name]
    return value


def retention_days() -> float:
    """Of the stream."""
    return float(setting("Stream", "RetentionPeriodHours") / 24)


def lambda_function(name: str) -> Function:
    """Its handler and its environment."""
    (found,) = (each for each in read_functions(_template(), physical_names(_template())) if each.name == name)
    return replace(found, environment={**found.environment, "METRICS_NAMESPACE": _STACK})


def _key_users(template: Template) -> Iterator[tuple[str, str]]:
    """Each function's role with each stream or table that its policies name. The other roles are people's."""
    encrypted = {f"{resource.name}.Arn" for kind in _ENCRYPTED for resource in template.of_type(kind)}
    for role in {setting(each.name, "Role").argument for each in template.of_type("AWS::Serverless::Function")}:
        for policy in setting(role.removesuffix(".Arn"), "Policies"):
            for statement in policy["PolicyDocument"]["Statement"]:
                arns = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
                yield from ((role, arn.argument) for arn in arns if _is_one_of(arn, encrypted))


def _is_one_of(arn: Intrinsic, names: set[str]) -> bool:
    return arn.function == "GetAtt" and arn.argument in names


@cache
def _template() -> Template:
    return read_template(TEMPLATE)
