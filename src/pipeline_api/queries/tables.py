"""Reads of the tables Invoices and Customers. All are consistent: what is stored can be queried at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws.errors import translate_errors
from aws.items import Item, ReadItem
from invoices.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryOutputTypeDef

FIRST = " "
"""Sorts before every pointer."""

MAX_KEYS = 100
"""Keys in one BatchGetItem (AWS: BatchGetItem), and pointers in one page of a Query."""

_PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)


@dataclass(frozen=True, slots=True)
class Tables:
    """`invoices` and `customers` are names of tables. `sleep` takes seconds; it runs before keys are read again.

    Every method raises Throttled or Unavailable.
    """

    client: "DynamoDBClient"
    invoices: str
    customers: str
    sleep: Callable[[float], None]

    def slice_items(self, invoice_no: str) -> Iterator[ReadItem]:
        """Every slice of an invoice."""
        with translate_errors("DynamoDB"):
            for page in self.client.get_paginator("query").paginate(
                TableName=self.invoices,
                KeyConditionExpression="InvoiceNo = :invoice",
                ExpressionAttributeValues={":invoice": {"S": invoice_no}},
                ConsistentRead=True,
            ):
                yield from page["Items"]

    def pointer_pages(self, customer_id: str, after: str, size: int = MAX_KEYS) -> Iterator["QueryOutputTypeDef"]:
        """A customer's pointers that sort after the text `after`, in order, `size` per page."""
        with translate_errors("DynamoDB"):
            yield from self.client.get_paginator("query").paginate(
                TableName=self.customers,
                KeyConditionExpression="CustomerID = :customer AND #slice > :after",
                ExpressionAttributeNames={"#slice": "Slice"},
                ExpressionAttributeValues={":customer": {"S": customer_id}, ":after": {"S": after}},
                ConsistentRead=True,
                PaginationConfig={"PageSize": size},
            )

    def items_at(self, keys: Sequence[Item]) -> list[ReadItem]:
        """The items under at most MAX_KEYS keys, in any order. Raises Unavailable if some keys stay unread."""
        items: list[ReadItem] = []
        for pause in (*_PAUSES_SECONDS, 0):
            with translate_errors("DynamoDB"):
                answer = self.client.batch_get_item(
                    RequestItems={self.invoices: {"Keys": keys, "ConsistentRead": True}}
                )
            items += answer["Responses"].get(self.invoices, [])
            if not (left := answer["UnprocessedKeys"].get(self.invoices)):
                return items
            keys = [dict(key) for key in left["Keys"]]
            self.sleep(pause)
        raise Unavailable("DynamoDB left keys unread")
