"""The template's stream, bucket and tables, created in the engine with the template's own properties.

What protects data for years (encryption at rest, backups, lifecycle) is left out: the engine's memory ends with the
run.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from local_runtime.errors import RunError
from local_runtime.stack.clients import Clients
from local_runtime.stack.physical import Physical
from local_runtime.stack.template import Properties, Resource, Template, mapping_at

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

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
