"""The designs that are compared: what their templates say, as far as it costs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
API, TO_S3, TO_DYNAMODB = "api", "to_s3", "to_dynamodb"

_FUNCTIONS = {API: "ApiFunction", TO_S3: "ToS3Function", TO_DYNAMODB: "ToDynamodbFunction"}
REFRESH, VACUUM = "ToLakeFunction", "VacuumLakeFunction"
_MAPPING_METRICS = 6  # Lambda, "Event source mapping metrics": the group EventCount of a stream
_MONTHLY_RUNS = {"rate(1 hour)": 730}
_ENCRYPTED = frozenset({"AWS::Kinesis::Stream", "AWS::DynamoDB::Table"})


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


ORIGINAL = Design("original", "REST API", {API: 128, TO_S3: 128, TO_DYNAMODB: 128})
IDIOMATIC = Design("idiomatic", "HTTP API", {API: 1769, TO_S3: 512, TO_DYNAMODB: 1769})


def our_design() -> Design:
    """As template.yaml has it, with every parameter at its default."""
    resources = _template()["Resources"]
    functions = [resources[logical_id]["Properties"] for logical_id in _FUNCTIONS.values()]
    events = [event["Properties"] for function in functions for event in function["Events"].values()]
    kinds = [resource["Type"] for resource in resources.values()]
    return Design(
        "ours",
        "HTTP API",
        {name: function["MemorySize"] for name, function in zip(_FUNCTIONS, functions, strict=True)},
        alarms=kinds.count("AWS::CloudWatch::Alarm"),
        dashboards=kinds.count("AWS::CloudWatch::Dashboard"),
        service_metrics=sum("MetricsConfig" in event for event in events) * _MAPPING_METRICS,
        key_users=len(set(_key_users(resources))),
        key_reads_per_request=1,
        object_reads_per_delivery=1,
        stream_days=template_default("StreamRetentionHours") / 24,
        log_days=template_default("LogRetentionDays"),
        has_fan_out=True,
        archives=True,
        refreshes=_MONTHLY_RUNS[_template()["Parameters"]["LakeRefresh"]["Default"]],
        refresh_memory=resources["ToLakeFunction"]["Properties"]["MemorySize"],
    )


def small_design() -> Design:
    """As template.yaml has it with `Size=small`."""
    return replace(our_design(), name="ours, small", shards=1, has_fan_out=False, stream_days=1)


def template_default(parameter: str) -> float:
    """A number among the template's parameters."""
    return float(_template()["Parameters"][parameter]["Default"])


@dataclass(frozen=True, slots=True)
class FunctionLimits:
    megabytes: int
    seconds: int
    disk_megabytes: int


def function_limits(function: str) -> FunctionLimits:
    """What a function gets, by its logical id."""
    properties = _template()["Resources"][function]["Properties"]
    disk = properties.get("EphemeralStorage", {"Size": 512})["Size"]
    return FunctionLimits(int(properties["MemorySize"]), int(properties["Timeout"]), int(disk))


def environment_names(function: str) -> list[str]:
    """The variables that a function gets, its own and those of Globals."""
    template = _template()
    shared = template["Globals"]["Function"].get("Environment", {"Variables": {}})
    return [*shared["Variables"], *template["Resources"][function]["Properties"]["Environment"]["Variables"]]


def _key_users(resources: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each function's role with each stream or table that its policies name. The other roles are people's."""
    functions = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::Serverless::Function"]
    roles = {name: resources[name] for name in {each["Role"].removesuffix(".Arn") for each in functions}}
    for role, resource in roles.items():
        for policy in _unconditional(resource["Properties"].get("Policies", [])):
            for statement in _unconditional(policy["PolicyDocument"]["Statement"]):
                arns = statement["Resource"]
                names = [arn.removesuffix(".Arn") for arn in ([arns] if isinstance(arns, str) else arns)]
                yield from ((role, name) for name in names if resources.get(name, {}).get("Type") in _ENCRYPTED)


def _unconditional(entries: Iterable[Any]) -> list[dict[str, Any]]:
    """Also those that depend on a condition: without its tag, `!If` is a list of condition, entry and no value."""
    choices = [each if isinstance(each, list) else [each] for each in entries]
    return [each for choice in choices for each in choice if isinstance(each, dict)]


@cache
def _template() -> dict[str, Any]:
    template: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)  # noqa: S506 - a SafeLoader
    return template


class _Loader(yaml.SafeLoader):
    """Reads the value behind each of CloudFormation's own tags as if the tag were not there."""


def _untagged(loader: _Loader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node)
    return loader.construct_mapping(node) if isinstance(node, yaml.MappingNode) else None


_Loader.add_multi_constructor("!", _untagged)
