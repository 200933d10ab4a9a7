"""The supervisor's own AWS clients: bound to the engine, whatever the user's environment says."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config

from local_runtime.processes.environment import ACCESS_KEY, REGION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

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
