"""A stream that keeps every record in a list."""

from typing import TYPE_CHECKING, TypeAlias, cast

from aws.stream import Stream

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

PutRecord: TypeAlias = tuple[str, bytes]
"""Partition key and data."""


class FakeKinesis:
    """Keeps the records in `put_records`."""

    def __init__(self, put_records: list[PutRecord]) -> None:
        self.put_records = put_records

    def stream(self) -> Stream:
        return Stream(cast("KinesisClient", self), "rows")

    def put_record(self, StreamName: str, Data: bytes, PartitionKey: str) -> None:
        assert StreamName == "rows"
        self.put_records.append((PartitionKey, Data))
