"""Empty stores for the operator's commands."""

from typing import TYPE_CHECKING

import pytest

from aws.bucket import Bucket
from pipeline_ops.options import Stores
from tests.pipeline_ops.stores import BUCKET

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def stores(s3: "S3Client", dynamodb: "DynamoDBClient") -> Stores:
    return Stores(Bucket(s3, BUCKET), dynamodb, "invoices", "customers")
