"""The bucket and the tables, each with the client that reads it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Stores:
    s3: "S3Client"
    bucket: str
    dynamodb: "DynamoDBClient"
    invoices_table: str
    customers_table: str
