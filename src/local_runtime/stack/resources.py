"""The template's stream, buckets, queues and tables, created in the engine with the template's own properties.

Encryption at rest, backups, lifecycle rules, and topics with what is told to them are left out. What an engine with
stores that stay has already stays.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local_runtime.environment import ACCESS_KEY, REGION
from local_runtime.errors import RunError
from local_runtime.stack.template import PhysicalNames, Properties, Resource, Template, Value, mapping_at

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=120,  # the engine responds slowly to a Scan of a large table
    s3={"addressing_style": "path"},
)
_ON_DEMAND_SHARDS = 4
"""AWS gives a new on-demand stream four. With fewer, nobody here would notice that order holds only within a shard."""

_EXISTS = "ResourceInUseException"  # of a stream or table
_SHORTEST_RETENTION_HOURS = 24
_STREAM_PROPERTIES = ("StreamModeDetails", "ShardCount", "RetentionPeriodHours")
_BUCKET_PROPERTIES = ("VersioningConfiguration", "PublicAccessBlockConfiguration", "NotificationConfiguration")
_QUEUE_PROPERTIES = ("VisibilityTimeout", "MessageRetentionPeriod")
_TABLE_PROPERTIES = (
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "StreamSpecification",
)


@dataclass(frozen=True)
class Clients:
    kinesis: "KinesisClient"
    s3: "S3Client"
    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"


def engine_clients(endpoint: str) -> Clients:
    """Clients of the engine. They ignore the user's environment, profiles and keys."""
    unread = {"profile": None, "config_file": os.devnull, "credentials_file": os.devnull}
    core = botocore.session.Session(session_vars={name: (None, None, value, None) for name, value in unread.items()})
    session = boto3.Session(ACCESS_KEY, ACCESS_KEY, region_name=REGION, botocore_session=core)
    return Clients(
        kinesis=session.client("kinesis", endpoint_url=endpoint, config=_CONFIG),
        s3=session.client("s3", endpoint_url=endpoint, config=_CONFIG),
        dynamodb=session.client("dynamodb", endpoint_url=endpoint, config=_CONFIG),
        sqs=session.client("sqs", endpoint_url=endpoint, config=_CONFIG),
    )


def create_resources(template: Template, physical: PhysicalNames, clients: Clients) -> None:
    """Raises RunError with the name of a resource that the engine refuses."""
    for resource in template.of_type("AWS::Kinesis::Stream"):
        _create(resource, physical, _STREAM_PROPERTIES, partial(_create_stream, clients.kinesis))
    for resource in template.of_type("AWS::SQS::Queue"):
        _create(resource, physical, _QUEUE_PROPERTIES, partial(_create_queue, clients.sqs))
    for resource in template.of_type("AWS::S3::Bucket"):
        _create(resource, physical, _BUCKET_PROPERTIES, partial(_create_bucket, clients.s3))
    for resource in template.of_type("AWS::DynamoDB::Table"):
        _create(resource, physical, _TABLE_PROPERTIES, partial(_create_table, clients.dynamodb))


def _create(
    resource: Resource, physical: PhysicalNames, applied: Iterable[str], create: Callable[[str, Properties], None]
) -> None:
    wanted = {key: resource.properties[key] for key in applied if key in resource.properties}
    try:
        create(physical.names[resource.name], physical.resolve_all(wanted))
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] == _EXISTS:
            return
        reason = " ".join(str(error).split())
        raise RunError(f"the template's {resource.name} cannot be created: {reason}") from error


def _create_stream(kinesis: "KinesisClient", name: str, properties: Properties) -> None:
    is_on_demand = mapping_at(properties, "StreamModeDetails").get("StreamMode") == "ON_DEMAND"
    shards = _ON_DEMAND_SHARDS if is_on_demand else _number(properties, "ShardCount", default=1)
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    hours = _number(properties, "RetentionPeriodHours", default=_SHORTEST_RETENTION_HOURS)
    if hours > _SHORTEST_RETENTION_HOURS:
        kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=hours)


def _create_queue(sqs: "SQSClient", name: str, properties: Properties) -> None:
    """One that was saved stays. The engine knows a queue by its port, so on another one it would make a second."""
    with suppress(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName=name)
        return
    attributes = {key: str(value) for key, value in properties.items()}
    sqs.create_queue(QueueName=name, Attributes=cast("Any", attributes))


def _create_bucket(s3: "S3Client", name: str, properties: Properties) -> None:
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):  # a killed engine kept its objects, not its settings
        s3.create_bucket(Bucket=name)
    if versioning := mapping_at(properties, "VersioningConfiguration"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=cast("Any", versioning))
    if access := mapping_at(properties, "PublicAccessBlockConfiguration"):
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=cast("Any", access))
    if queues := mapping_at(properties, "NotificationConfiguration").get("QueueConfigurations"):
        notified = [_notification(each) for each in queues] if isinstance(queues, list) else []
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"QueueConfigurations": cast("Any", notified)}
        )


def _notification(queue: Value) -> dict[str, object]:
    """CloudFormation's form in that of S3's API, which has other names for the same."""
    if not isinstance(queue, dict):
        raise RunError("the template has a notification of a bucket that is no mapping")
    rules = mapping_at(queue, "Filter", "S3Key").get("Rules", [])
    return {"QueueArn": queue["Queue"], "Events": [queue["Event"]], "Filter": {"Key": {"FilterRules": rules}}}


def _create_table(dynamodb: "DynamoDBClient", name: str, properties: Properties) -> None:
    """CloudFormation and CreateTable give these properties the same names; botocore checks them."""
    dynamodb.create_table(TableName=name, **cast("Any", properties))
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})


def _number(properties: Properties, name: str, *, default: int) -> int:
    value = properties.get(name, default)
    if not isinstance(value, int):
        raise RunError(f"the template's {name} is not a whole number")
    return value
