"""DynamoDB and S3 as dictionaries, for thousands of deliveries that need no network."""

from collections.abc import Mapping, Sequence
from typing import Any


class TablesInMemory:
    """Takes BatchWriteItem; `items` are the puts' items by table."""

    def __init__(self) -> None:
        self.items: dict[str, list[Mapping[str, Any]]] = {}

    def batch_write_item(self, *, RequestItems: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
        for table, requests in RequestItems.items():
            self.items.setdefault(table, []).extend(request["PutRequest"]["Item"] for request in requests)
        return {"UnprocessedItems": {}}


class BucketInMemory:
    """Takes PutObject; `objects` are the bodies by key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Key: str, Body: bytes, **_: object) -> dict[str, str]:
        self.objects[Key] = Body
        return {}
