"""The stream, as far as the API uses it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws.faults import retryable_faults

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


@dataclass(frozen=True, slots=True)
class Stream:
    client: "KinesisClient"
    name: str

    def put(self, batch_id: str, record: bytes) -> None:
        """Put one record, whose partition key is the batch id. Raises Throttled or Unavailable.

        After Unavailable the record may have been put all the same; a retry under the same batch id changes nothing.
        """
        with retryable_faults("Kinesis"):
            self.client.put_record(StreamName=self.name, Data=record, PartitionKey=batch_id)
