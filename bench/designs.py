"""The designs that are compared, as their templates would write them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.flows import API, TO_DYNAMODB, TO_S3
from bench.template import template_default, template_resources

_FUNCTIONS = {API: "ApiFunction", TO_S3: "ToS3Function", TO_DYNAMODB: "ToDynamodbFunction"}
_DEFAULT_MEMORY = {API: 128, TO_S3: 128, TO_DYNAMODB: 128}

_MAPPING_METRICS = 6  # Lambda, "Event source mapping metrics": the group EventCount of a stream
_ENCRYPTED = frozenset({"AWS::Kinesis::Stream", "AWS::DynamoDB::Table"})


@dataclass(frozen=True, slots=True)
class Design:
    """What a template says of a design, as far as it costs. Memory is in MB by function.

    `service_metrics` are those that AWS sends for money because the template asks; `key_users` the pairs of a role and
    what it reaches under a key of KMS; `archives`: large objects move to a colder class.
    """

    name: str
    gateway: str
    memory: Mapping[str, int]
    alarms: int = 0
    dashboards: int = 0
    service_metrics: int = 0
    key_users: int = 0
    key_reads_per_request: int = 0
    stream_days: float = 1
    log_days: float = 30
    archives: bool = False


ORIGINAL = Design("original", "REST API", _DEFAULT_MEMORY)
IDIOMATIC = Design("idiomatic", "HTTP API", {API: 1769, TO_S3: 512, TO_DYNAMODB: 1769})


def our_design() -> Design:
    """As template.yaml has it, with every parameter at its default."""
    resources = template_resources()
    return Design(
        "ours",
        "HTTP API",
        {name: resources[logical_id]["Properties"]["MemorySize"] for name, logical_id in _FUNCTIONS.items()},
        alarms=_count(resources, "AWS::CloudWatch::Alarm"),
        dashboards=_count(resources, "AWS::CloudWatch::Dashboard"),
        service_metrics=_service_metrics(resources),
        key_users=len(set(_key_users(resources))),
        key_reads_per_request=1,
        stream_days=template_default("StreamRetentionHours") / 24,
        log_days=template_default("LogRetentionDays"),
        archives=True,
    )


def _count(resources: Mapping[str, Any], kind: str) -> int:
    return sum(resource["Type"] == kind for resource in resources.values())


def _service_metrics(resources: Mapping[str, Any]) -> int:
    events = [event for logical_id in _FUNCTIONS.values() for event in _events(resources[logical_id])]
    return sum("MetricsConfig" in event["Properties"] for event in events) * _MAPPING_METRICS


def _events(function: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    events: Mapping[str, Mapping[str, Any]] = function["Properties"]["Events"]
    return events.values()


def _key_users(resources: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each role with each stream or table that its policies name."""
    for role, resource in resources.items():
        for policy in resource["Properties"].get("Policies", []) if resource["Type"] == "AWS::IAM::Role" else []:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield from ((role, reached) for reached in _reached(statement) if _is_encrypted(resources, reached))


def _reached(statement: Mapping[str, Any]) -> list[str]:
    arns: str | list[str] = statement["Resource"]
    return [arn.removesuffix(".Arn") for arn in ([arns] if isinstance(arns, str) else arns)]


def _is_encrypted(resources: Mapping[str, Any], logical_id: str) -> bool:
    return logical_id in resources and resources[logical_id]["Type"] in _ENCRYPTED
