"""Receipts: what became of each record of the stream, written last of all that is made of the record.

Whoever can read a receipt can read the rows that it counts. A receipt is written once and never changes, so a second
delivery leaves the times of the first. A batch has one receipt for each body that arrived under its id.

    BatchId      table key
    Body         sort key: a hash of batch id and rows
    Part         one of four partitions of the index ByArrival, so that no single one limits the stream
    Arrival      when the record arrived on the stream, `#` and Body: unique, and in the order of time
    QueryableAt  when the rows could be queried
    Stored, SetAside, ExpiresAt
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from aws.errors import error_code, translate_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from aws.items import Item, ReadItem

_INDEX = "ByArrival"
_PARTS = 4
_SEPARATOR = "#"
_AFTER_ALL = "~"  # sorts after every Arrival
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Receipt:
    """`stored` and `set_aside` count rows. The times are ISO 8601 in UTC, with milliseconds."""

    batch_id: str
    body_id: str
    stored: int
    set_aside: int
    arrived_at: str
    queryable_at: str

    @property
    def position(self) -> str:
        """Where the receipt stands in the list of all receipts, which is in the order of arrival."""
        return f"{self.arrived_at}{_SEPARATOR}{self.body_id}"


def body_id(batch_id: str, rows: bytes) -> str:
    """What tells the bodies of a batch apart. `rows` is NDJSON: the same rows may be compressed to other bytes."""
    return blake2b(rows, digest_size=8, key=batch_id.encode()).hexdigest()


def timestamp(seconds: float) -> str:
    """ISO 8601 of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class ReceiptTable:
    """Every method raises Retryable where DynamoDB fails for a while."""

    client: "DynamoDBClient"
    name: str

    def of_body(self, batch_id: str, body: str) -> Receipt | None:
        """The receipt of one body. Read consistently: a receipt can be read as soon as it is written."""
        with translate_errors("DynamoDB"):
            response = self.client.get_item(
                TableName=self.name, Key={"BatchId": {"S": batch_id}, "Body": {"S": body}}, ConsistentRead=True
            )
        item = response.get("Item")
        return None if item is None else _receipt(item)

    def of_batch(self, batch_id: str, limit: int) -> list[Receipt]:
        """One for each body of the batch, at most `limit`. Read consistently, as by `of_body`."""
        with translate_errors("DynamoDB"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.name,
                KeyConditionExpression="BatchId = :batch",
                ExpressionAttributeValues={":batch": {"S": batch_id}},
                ConsistentRead=True,
            )
            return [_receipt(item) for item in islice((item for page in pages for item in page["Items"]), limit)]

    def latest(self, limit: int, before: str | None) -> list[Receipt]:
        """At most `limit` receipts, the last to arrive first, of those that stand before the position `before`."""
        parts = [self._latest_of(str(part), limit, before or _AFTER_ALL) for part in range(_PARTS)]
        return list(islice(merge(*parts, key=lambda receipt: receipt.position, reverse=True), limit))

    def _latest_of(self, part: str, limit: int, before: str) -> "Iterator[Receipt]":
        with translate_errors("DynamoDB"):
            response = self.client.query(
                TableName=self.name,
                IndexName=_INDEX,
                KeyConditionExpression="Part = :part AND Arrival < :before",
                ExpressionAttributeValues={":part": {"S": part}, ":before": {"S": before}},
                ScanIndexForward=False,
                Limit=limit,
            )
        return map(_receipt, response["Items"])


@dataclass(frozen=True, slots=True)
class ReceiptWriter:
    """Writes receipts, each of which DynamoDB deletes some time after `days`. `now` is in seconds since 1970."""

    client: "DynamoDBClient"
    table: str
    days: int
    now: Callable[[], float]

    def put(self, receipt: Receipt) -> None:
        """Write the receipt, unless there is one of this body already. Raises Retryable."""
        try:
            with translate_errors("DynamoDB"):
                self.client.put_item(
                    TableName=self.table,
                    Item=_item(receipt, int(self.now()) + self.days * _DAY_SECONDS),
                    ConditionExpression="attribute_not_exists(BatchId)",
                )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise


def _item(receipt: Receipt, expires_at: int) -> "Item":
    return {
        "BatchId": {"S": receipt.batch_id},
        "Body": {"S": receipt.body_id},
        "Part": {"S": str(int(receipt.body_id, 16) % _PARTS)},
        "Arrival": {"S": receipt.position},
        "QueryableAt": {"S": receipt.queryable_at},
        "Stored": {"N": str(receipt.stored)},
        "SetAside": {"N": str(receipt.set_aside)},
        "ExpiresAt": {"N": str(expires_at)},
    }


def _receipt(item: "ReadItem") -> Receipt:
    return Receipt(
        batch_id=item["BatchId"]["S"],
        body_id=item["Body"]["S"],
        stored=int(item["Stored"]["N"]),
        set_aside=int(item["SetAside"]["N"]),
        arrived_at=item["Arrival"]["S"].partition(_SEPARATOR)[0],
        queryable_at=item["QueryableAt"]["S"],
    )
