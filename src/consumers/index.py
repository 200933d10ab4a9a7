"""The tables: every line of a record in a slice, every customer of a slice with a pointer to it."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from aws.errors import translate_errors
from aws.items import Item, pointer_items, slice_item
from consumers.dead_letters import DeadLetter
from consumers.records import Record, unheard
from invoices.batch import pack, unpack
from invoices.errors import Throttled
from invoices.invoice import Slice, slices_of
from invoices.limits import MAX_BODY_BYTES
from invoices.rows import Rows, read_ndjson, split_ndjson

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import WriteRequestUnionTypeDef

# Puts to DynamoDB, 25 at a time, until every one of them was taken.

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
        with translate_errors("DynamoDB"):
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


class Index:
    """Invoices and Customers. Only puts of whole, immutable items: doing it again changes nothing.

    `sleep` takes seconds; it is called before what DynamoDB left out is put again. `told` hears of each
    record whose rows are stored, and of how many there are.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        invoices_table: str,
        customers_table: str,
        sleep: Callable[[float], None] = time.sleep,
        told: Callable[[Record, int], None] = unheard,
    ) -> None:
        self._told = told
        self._dynamodb = dynamodb
        self._sleep = sleep
        self._invoices_table = invoices_table
        self._customers_table = customers_table

    def add(self, record: Record) -> DeadLetter | None:
        """Store the record's valid rows and answer with the others. Raises Rejected if it cannot be read at all."""
        data = unpack(record.data, MAX_BODY_BYTES)
        rows = read_ndjson(data)
        self.store(rows, record.batch_id)
        if rows.lines:
            self._told(record, len(rows.lines))
        return _invalid_rows(data, rows) if rows.errors else None

    def store(self, rows: Rows, batch_id: str) -> None:
        """Store checked rows of a batch, all or some of them; `rows.indexes` are their places in the whole record."""
        write_all(self._dynamodb, self._puts(slices_of(rows, batch_id)), self._sleep)

    def _puts(self, slices: list[Slice]) -> Iterator[Put]:
        for invoice_slice in slices:
            yield Put(self._invoices_table, slice_item(invoice_slice))
        for invoice_slice in slices:
            yield from (Put(self._customers_table, item) for item in pointer_items(invoice_slice))


def _invalid_rows(data: bytes, rows: Rows) -> DeadLetter:
    texts = split_ndjson(data)
    invalid = sorted({error.index for error in rows.errors})
    payload = pack(b"\n".join(texts[index] for index in invalid))
    return DeadLetter(payload, f"{len(invalid)} of {len(texts)} rows are no invoice lines", tuple(rows.errors))
