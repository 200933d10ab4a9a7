"""DynamoDB takes what it can: the rest is put again until all of it is there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias, cast

import pytest

from consumers.index import Put, write_all
from invoices.errors import Throttled

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Requests: TypeAlias = dict[str, list[dict[str, dict[str, dict[str, dict[str, str]]]]]]


class ReluctantTables:
    """Takes at most `takes` items a call, like DynamoDB when it is short of capacity."""

    def __init__(self, takes: int) -> None:
        self.takes = takes
        self.calls: list[int] = []
        self.items: list[str] = []

    def batch_write_item(self, RequestItems: Requests) -> dict[str, Requests]:
        waiting = [(table, request) for table, requests in RequestItems.items() for request in requests]
        self.calls.append(len(waiting))
        self.items += [request["PutRequest"]["Item"]["N"]["S"] for _, request in waiting[: self.takes]]
        left: Requests = {}
        for table, request in waiting[self.takes :]:
            left.setdefault(table, []).append(request)
        return {"UnprocessedItems": left}


def write(tables: ReluctantTables, puts: Sequence[Put]) -> list[float]:
    pauses: list[float] = []
    write_all(cast("DynamoDBClient", tables), puts, sleep=pauses.append)
    return pauses


def puts(count: int) -> list[Put]:
    return [Put("invoices" if number % 2 else "customers", {"N": {"S": str(number)}}) for number in range(count)]


def test_items_go_25_to_a_call() -> None:
    """DynamoDB refuses more."""
    tables = ReluctantTables(takes=25)
    assert (write(tables, puts(60)), tables.calls) == ([], [25, 25, 10])


def test_unprocessed_items_are_put_again_after_a_pause() -> None:
    """The call has succeeded all the same: nothing but the answer tells."""
    tables = ReluctantTables(takes=10)
    pauses = write(tables, puts(25))
    assert (tables.calls, len(pauses)) == ([25, 15, 5], 2)
    assert sorted(tables.items, key=int) == [str(number) for number in range(25)]


def test_pauses_grow_and_stay_bounded() -> None:
    """Full jitter: none is longer than its place allows."""
    tables = ReluctantTables(takes=4)
    longest = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6]
    assert all(0 <= pause <= limit for pause, limit in zip(write(tables, puts(25)), longest, strict=True))


def test_a_table_that_takes_nothing_is_throttled() -> None:
    """The record is delivered again later."""
    tables = ReluctantTables(takes=0)
    with pytest.raises(Throttled, match="unprocessed 8 times"):
        write(tables, puts(1))
