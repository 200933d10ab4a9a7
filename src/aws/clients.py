"""How every AWS client of this project is made.

The endpoint and the region come from boto3's own variables (`AWS_ENDPOINT_URL`, `AWS_REGION`), so the code that runs
on a laptop is the code that runs on Lambda. The clients are botocore's, which are the very ones that boto3 hands out:
importing what boto3 adds to them is a sixth of a consumer's cold start, and none of it is used.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

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
    client: KinesisClient = _client("kinesis")
    return client


def dynamodb_client() -> "DynamoDBClient":
    from aws.batch_write_body import skip_item_serialization  # noqa: PLC0415 - it needs pydantic's writer, and to_s3 does not

    client: DynamoDBClient = _client("dynamodb")
    skip_item_serialization(client)
    return client


def s3_client() -> "S3Client":
    client: S3Client = _client("s3")
    return client


def _client(service: str) -> Any:
    return session().create_client(service, region_name=_region(), config=_CONFIG.merge(_same_user_agent()))


def _same_user_agent() -> Config:
    """Put together once: botocore would do it twice for every call, which is an eighth of a small one's time."""
    return Config(user_agent=session().user_agent())


@cache
def session() -> botocore.session.Session:
    """One for all clients of a process: they share what it has read of services and credentials."""
    return botocore.session.get_session()


def _region() -> str | None:
    """Lambda sets AWS_REGION, which botocore itself does not read; its own default applies where it is missing."""
    return os.environ.get("AWS_REGION")
