"""The stream: how a batch becomes one record on it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from aws.errors import translate_errors

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

PutRecord: TypeAlias = Callable[[str, bytes], None]
"""Puts one record on the stream: batch id and data. Raises Retryable."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The stream that carries the batches to the consumers."""

    client: "KinesisClient"
    name: str

    def put(self, batch_id: str, record: bytes) -> None:
        """Put one record with the batch id as its partition key. Raises Throttled or Unavailable.

        After Unavailable the record may be on the stream all the same. A retry with the same batch id is harmless.
        """
        with translate_errors("Kinesis"):
            self.client.put_record(StreamName=self.name, Data=record, PartitionKey=batch_id)
