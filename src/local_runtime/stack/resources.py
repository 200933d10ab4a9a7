"""The template's stream, bucket and tables, created in the engine with the template's own properties.

What protects data for years (encryption at rest, backups, lifecycle) is left out: the engine's memory ends with the
run.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local_runtime.environment import ACCESS_KEY, REGION
from local_runtime.errors import RunError
from local_runtime.stack.template import Intrinsic, Properties, Resource, Template, Value, mapping_at

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

# The supervisor's own AWS clients: bound to the engine, whatever the user's environment says.

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=120,  # the engine answers a Scan of a large table slowly
    s3={"addressing_style": "path"},
)


@dataclass(frozen=True)
class Clients:
    kinesis: "KinesisClient"
    s3: "S3Client"
    dynamodb: "DynamoDBClient"


def engine_clients(endpoint: str) -> Clients:
    """Clients that know neither the user's profiles nor their keys."""
    unread = {"profile": None, "config_file": os.devnull, "credentials_file": os.devnull}
    core = botocore.session.Session(session_vars={name: (None, None, value, None) for name, value in unread.items()})
    session = boto3.Session(ACCESS_KEY, ACCESS_KEY, region_name=REGION, botocore_session=core)
    return Clients(
        kinesis=session.client("kinesis", endpoint_url=endpoint, config=_CONFIG),
        s3=session.client("s3", endpoint_url=endpoint, config=_CONFIG),
        dynamodb=session.client("dynamodb", endpoint_url=endpoint, config=_CONFIG),
    )


# What the template's references stand for on this machine: the names and ARNs of what was created.

ACCOUNT = "000000000000"
STACK = "local"
_NAME_PROPERTIES = {
    "AWS::Kinesis::Stream": "Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::DynamoDB::Table": "TableName",
}
_ARNS = {
    "AWS::Kinesis::Stream": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/",
    "AWS::S3::Bucket": "arn:aws:s3:::",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/",
}
_PSEUDO_PARAMETERS = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": STACK,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
_REFERENCE = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True)
class Physical:
    """`names[logical id]` is what `!Ref` gives, `arns[logical id]` what `!GetAtt ….Arn` gives."""

    names: Mapping[str, str]
    arns: Mapping[str, str]

    def resolve(self, value: Value) -> Value:
        """The value with every intrinsic replaced. Raises RunError for one that this machine cannot answer."""
        match value:
            case Intrinsic():
                return self._answer(value)
            case dict():
                return self.resolve_all(value)
            case list():
                return [self.resolve(each) for each in value]
            case _:
                return value

    def resolve_all(self, properties: Properties) -> Properties:
        return {name: self.resolve(value) for name, value in properties.items()}

    def _answer(self, intrinsic: Intrinsic) -> str:
        match intrinsic:
            case Intrinsic("Ref", str(name)):
                return self._reference(name)
            case Intrinsic("GetAtt", str(path)):
                return self._attribute(path)
            case Intrinsic("Sub", str(text)):
                return _REFERENCE.sub(lambda found: self._substitute(found[1]), text).replace("${!", "${")
            case _:
                raise RunError(f"the template uses !{intrinsic.function}, which the local runtime does not know here")

    def _substitute(self, name: str) -> str:
        return self._attribute(name) if "." in name else self._reference(name)

    def _reference(self, name: str) -> str:
        known = {**_PSEUDO_PARAMETERS, **self.names}
        if name not in known:
            raise RunError(f"the template refers to {name}, which the local runtime does not create")
        return known[name]

    def _attribute(self, path: str) -> str:
        name, _, attribute = path.partition(".")
        if attribute != "Arn" or name not in self.arns:
            raise RunError(f"the template asks for {path}, which the local runtime does not know")
        return self.arns[name]


def physical_names(template: Template) -> Physical:
    """Names as CloudFormation makes them: the template's own where it gives one, else stack and logical id."""
    names: dict[str, str] = {}
    arns: dict[str, str] = {}
    for kind, prefix in _ARNS.items():
        for resource in template.of_type(kind):
            own = resource.properties.get(_NAME_PROPERTIES[kind])
            names[resource.name] = own if isinstance(own, str) else _generated(resource.name, kind)
            arns[resource.name] = prefix + names[resource.name]
    return Physical(names, arns)


def _generated(name: str, kind: str) -> str:
    generated = f"{STACK}-{name}"
    return generated.lower() if kind == "AWS::S3::Bucket" else generated


_ON_DEMAND_SHARDS = 4
"""What AWS gives a new on-demand stream. Fewer would hide on the laptop that order holds only within a shard."""

_SHORTEST_RETENTION_HOURS = 24
_STREAM_PROPERTIES = ("StreamModeDetails", "ShardCount", "RetentionPeriodHours")
_BUCKET_PROPERTIES = ("VersioningConfiguration", "PublicAccessBlockConfiguration")
_TABLE_PROPERTIES = (
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "StreamSpecification",
)


def create_resources(template: Template, physical: Physical, clients: Clients) -> None:
    """Raises RunError naming the resource that the engine refuses."""
    for resource in template.of_type("AWS::Kinesis::Stream"):
        _create(resource, physical, _STREAM_PROPERTIES, partial(_create_stream, clients.kinesis))
    for resource in template.of_type("AWS::S3::Bucket"):
        _create(resource, physical, _BUCKET_PROPERTIES, partial(_create_bucket, clients.s3))
    for resource in template.of_type("AWS::DynamoDB::Table"):
        _create(resource, physical, _TABLE_PROPERTIES, partial(_create_table, clients.dynamodb))


def _create(
    resource: Resource, physical: Physical, applied: Iterable[str], create: Callable[[str, Properties], None]
) -> None:
    wanted = {key: resource.properties[key] for key in applied if key in resource.properties}
    try:
        create(physical.names[resource.name], physical.resolve_all(wanted))
    except (ClientError, BotoCoreError) as error:
        reason = " ".join(str(error).split())
        raise RunError(f"the template's {resource.name} cannot be created: {reason}") from error


def _create_stream(kinesis: "KinesisClient", name: str, properties: Properties) -> None:
    on_demand = mapping_at(properties, "StreamModeDetails").get("StreamMode") == "ON_DEMAND"
    shards = _ON_DEMAND_SHARDS if on_demand else _number(properties, "ShardCount", default=1)
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    hours = _number(properties, "RetentionPeriodHours", default=_SHORTEST_RETENTION_HOURS)
    if hours > _SHORTEST_RETENTION_HOURS:
        kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=hours)


def _create_bucket(s3: "S3Client", name: str, properties: Properties) -> None:
    s3.create_bucket(Bucket=name)
    if versioning := mapping_at(properties, "VersioningConfiguration"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=cast("Any", versioning))
    if access := mapping_at(properties, "PublicAccessBlockConfiguration"):
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=cast("Any", access))


def _create_table(dynamodb: "DynamoDBClient", name: str, properties: Properties) -> None:
    """CloudFormation and CreateTable name these properties alike; botocore itself checks them."""
    dynamodb.create_table(TableName=name, **cast("Any", properties))
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})


def _number(properties: Properties, name: str, *, default: int) -> int:
    value = properties.get(name, default)
    if not isinstance(value, int):
        raise RunError(f"the template's {name} is not a whole number")
    return value
