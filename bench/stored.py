"""Items that were put, to be queried: as much of DynamoDB as our reads ask for."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Item = Mapping[str, Any]
_SORT_KEYS = {"InvoiceNo": "SliceId", "CustomerID": "Slice"}


class Stored:
    """By table and partition key, each in the order of its sort key."""

    def __init__(self) -> None:
        self._items: dict[str, dict[str, Item]] = defaultdict(dict)

    def put(self, table: str, item: Item) -> None:
        partition = "InvoiceNo" if "SliceId" in item else "CustomerID"
        self._items[_place(table, item[partition])][item[_SORT_KEYS[partition]]["S"]] = item

    def query(self, call: Mapping[str, Any]) -> dict[str, object]:
        """The partition's items behind `:after`, where that is asked; pages are not cut."""
        values = call["ExpressionAttributeValues"]
        key = values.get(":invoice") or values[":customer"]
        after = values.get(":after", {"S": ""})["S"]
        found = sorted(self._items[_place(call["TableName"], key)].items())
        items = [item for name, item in found if name > after]
        return {"Items": items, "Count": len(items), "ScannedCount": len(items)}

    def get_many(self, call: Mapping[str, Any]) -> dict[str, object]:
        responses = {
            table: [self._items[_place(table, key["InvoiceNo"])][key["SliceId"]["S"]] for key in asked["Keys"]]
            for table, asked in call["RequestItems"].items()
        }
        return {"Responses": responses, "UnprocessedKeys": {}}


def _place(table: str, key: Item) -> str:
    return table + json.dumps(key)
