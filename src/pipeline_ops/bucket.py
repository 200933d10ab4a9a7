"""The bucket: what is in it, in the order of the keys."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from aws.faults import retryable_faults

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Listed:
    key: str
    written_at: datetime


def objects_under(s3: "S3Client", bucket: str, prefix: str, start_after: str = "") -> Iterator[Listed]:
    """Every object whose key begins with the prefix and sorts after `start_after`."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, StartAfter=start_after)
    with retryable_faults("S3"):
        for page in pages:
            yield from (Listed(each["Key"], each["LastModified"]) for each in page.get("Contents", []))


def read_bytes(s3: "S3Client", bucket: str, key: str) -> bytes:
    with retryable_faults("S3"):
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
