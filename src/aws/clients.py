"""How every AWS client of this project is made.

The endpoint and the region come from boto3's own variables (`AWS_ENDPOINT_URL`, `AWS_REGION`), so the code that runs
on a laptop is the code that runs on Lambda.
"""

import os
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from aws.json_body import send_items_as_they_are

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=64,  # uvicorn's thread pool has 40 threads
    tcp_keepalive=True,
    s3={"addressing_style": "path"},  # a bucket of any name behind one certificate or one loopback port
)


def kinesis_client() -> "KinesisClient":
    return boto3.client("kinesis", region_name=_region(), config=_CONFIG)


def dynamodb_client() -> "DynamoDBClient":
    client = boto3.client("dynamodb", region_name=_region(), config=_CONFIG)
    send_items_as_they_are(client)
    return client


def s3_client() -> "S3Client":
    return boto3.client("s3", region_name=_region(), config=_CONFIG)


def _region() -> str | None:
    """Lambda sets AWS_REGION, which boto3 itself does not read; its own default applies where it is missing."""
    return os.environ.get("AWS_REGION")
