"""Puts to DynamoDB, 25 at a time, until every one of them was taken."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from aws.faults import retryable_faults
from invoices.errors import Throttled
from invoices.items import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import WriteRequestUnionTypeDef

_ITEMS_PER_CALL = 25  # DynamoDB's limit for BatchWriteItem
_ATTEMPTS = 8
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0

RequestItems: TypeAlias = "dict[str, Sequence[WriteRequestUnionTypeDef]]"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Put:
    table: str
    item: Item


def write_all(dynamodb: "DynamoDBClient", puts: Iterable[Put], sleep: Callable[[float], None] = time.sleep) -> None:
    """Put every item, in no particular order. Raises Retryable, and then some may have been put and others not."""
    for chunk in _chunks(puts, _ITEMS_PER_CALL):
        _write(dynamodb, _requests(chunk), sleep)


def _write(dynamodb: "DynamoDBClient", requests: RequestItems, sleep: Callable[[float], None]) -> None:
    """DynamoDB takes what it can and answers with the rest: the call succeeds while items are still to be put."""
    for attempt in range(_ATTEMPTS):
        with retryable_faults("DynamoDB"):
            requests = dict(dynamodb.batch_write_item(RequestItems=requests)["UnprocessedItems"])
        if not requests:
            return
        sleep(_pause(attempt))
    raise Throttled(f"DynamoDB left items of a BatchWriteItem unprocessed {_ATTEMPTS} times")


def _pause(attempt: int) -> float:
    longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
    return random.uniform(0, longest)  # noqa: S311 - spreads retries, guards nothing


def _requests(puts: Iterable[Put]) -> RequestItems:
    requests: dict[str, list[WriteRequestUnionTypeDef]] = {}
    for put in puts:
        requests.setdefault(put.table, []).append({"PutRequest": {"Item": put.item}})
    return dict(requests)


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
