"""The rivals' clients, as boto3 makes them, for a wire that ends in this process or for a server on loopback."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from aws.clients import session
from bench.wire import Wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

STREAM, BUCKET, INVOICES, CUSTOMERS = "rows", "raw", "invoices", "customers"


@dataclass(frozen=True, slots=True)
class Clients:
    kinesis: "KinesisClient"
    dynamodb: "DynamoDBClient"
    s3: "S3Client"


def set_environment(endpoint: str | None = None) -> None:
    """Credentials that open nothing, and where requests go to."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": "us-east-1"}
    os.environ |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    os.environ.pop("AWS_ENDPOINT_URL", None)
    if endpoint:
        os.environ["AWS_ENDPOINT_URL"] = endpoint
    session.cache_clear()
    boto3.setup_default_session(botocore_session=session())


def make_clients() -> Clients:
    return Clients(boto3.client("kinesis"), boto3.client("dynamodb"), boto3.client("s3"))


def end_at(wire: Wire) -> None:
    """From now on every new client, of ours and of boto3, is answered by `wire`."""
    set_environment()
    wire.end(session())


def tables() -> "tuple[Table, Table]":
    """Invoices and Customers as boto3's resources, which `batch_writer` belongs to."""
    resource = boto3.resource("dynamodb")
    return resource.Table(INVOICES), resource.Table(CUSTOMERS)
