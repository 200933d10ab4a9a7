"""The tables: every line of a record in a slice, and a pointer to the slice for each of its customers."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from aws.bucket import DeadLetter
from aws.errors import translate_errors
from aws.items import Item, pointer_items, slice_item
from aws.metrics import Metric
from aws.receipts import Receipt, body_id, timestamp
from consumers.batch_loop import Outcome, Record
from invoices.batch import pack, unpack
from invoices.errors import Rejected, Throttled
from invoices.invoice import Slice, slices_of
from invoices.limits import MAX_BODY_BYTES
from invoices.rows import Rows, read_ndjson, split_ndjson

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import WriteRequestUnionTypeDef

_ITEMS_PER_CALL = 25  # DynamoDB's limit for BatchWriteItem
_ATTEMPTS = 8
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0

RequestItems: TypeAlias = "dict[str, Sequence[WriteRequestUnionTypeDef]]"


class Index:
    """Invoices and Customers. It only puts whole, immutable items, so adding a record again changes nothing.

    `sleep` takes seconds; it runs before unprocessed items are put again. `now` is in seconds since 1970.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        invoices_table: str,
        customers_table: str,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._dynamodb = dynamodb
        self._invoices_table = invoices_table
        self._customers_table = customers_table
        self._sleep = sleep
        self._now = now

    def add(self, record: Record) -> Outcome:
        """Store the record's valid rows; the invalid ones become a dead letter.

        Raises Rejected if the record is unreadable, or Retryable.
        """
        data = unpack(record.data, MAX_BODY_BYTES)
        rows = read_ndjson(data)
        self.store(rows, record.batch_id)
        metrics = [Metric("RowsIndexed", len(rows.lines)), *self._age(record)] if rows.lines else []
        dead_letter = _invalid_rows(data, rows) if rows.errors else None
        return Outcome(metrics, dead_letter, self._receipt(record, data, rows))

    def store(self, rows: Rows, batch_id: str, numbers: Sequence[int] | None = None) -> None:
        """Store valid rows of a batch: all of them, or some with the `numbers` of `line_id`. Raises Retryable."""
        write_all(self._dynamodb, self._puts(slices_of(rows, batch_id, numbers)), self._sleep)

    def _age(self, record: Record) -> list[Metric]:
        """The time from arrival to queryable. Clocks of two machines may disagree: a negative age counts as 0."""
        if record.arrived_at is None:
            return []
        millis = round((self._now() - record.arrived_at) * 1000)
        return [Metric("AgeWhenQueryable", max(millis, 0), "Milliseconds")]

    def _receipt(self, record: Record, data: bytes, rows: Rows) -> Receipt | None:
        """None where nobody knows when the record arrived, and for a record that takes back its own batch.

        A receipt counts what was sent as the batch, and stays true when it is taken back. A record that is delivered
        again after an erasure is still the same body, so it gets no second receipt.
        """
        if record.arrived_at is None or any(line.is_about_own_batch for line in rows.lines):
            return None
        with suppress(Rejected):
            data = unpack(record.original, MAX_BODY_BYTES) if record.original else data
        return Receipt(
            batch_id=record.batch_id,
            body_id=body_id(record.batch_id, data),
            stored=len(rows.lines),
            set_aside=rows.rejected,
            arrived_at=timestamp(record.arrived_at),
            queryable_at=timestamp(max(self._now(), record.arrived_at)),
        )

    def _puts(self, slices: list[Slice]) -> "Iterator[Put]":
        """Slices first, so that a pointer seldom leads to a slice that is not stored yet."""
        for invoice_slice in slices:
            yield Put(self._invoices_table, slice_item(invoice_slice))
        for invoice_slice in slices:
            yield from (Put(self._customers_table, item) for item in pointer_items(invoice_slice))


def _invalid_rows(data: bytes, rows: Rows) -> DeadLetter:
    texts = split_ndjson(data)
    invalid = sorted({error.index for error in rows.errors})
    payload = pack(b"\n".join(texts[index] for index in invalid))
    return DeadLetter(payload, f"{len(invalid)} of {len(texts)} rows are no invoice lines", tuple(rows.errors))


@dataclass(frozen=True, slots=True)
class Put:
    table: str
    item: Item


def write_all(dynamodb: "DynamoDBClient", puts: Iterable[Put], sleep: Callable[[float], None] = time.sleep) -> None:
    """Put every item. Raises Retryable; some of the items may be stored by then."""
    waiting = iter(puts)
    while chunk := list(islice(waiting, _ITEMS_PER_CALL)):
        requests: dict[str, list[WriteRequestUnionTypeDef]] = {}
        for put in chunk:
            requests.setdefault(put.table, []).append({"PutRequest": {"Item": put.item}})
        _write(dynamodb, dict(requests), sleep)


def _write(dynamodb: "DynamoDBClient", requests: RequestItems, sleep: Callable[[float], None]) -> None:
    """DynamoDB may take only some of the items: the call succeeds, and the response holds the others."""
    for attempt in range(_ATTEMPTS):
        with translate_errors("DynamoDB"):
            requests = dict(dynamodb.batch_write_item(RequestItems=requests)["UnprocessedItems"])
        if not requests:
            return
        longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
        sleep(random.uniform(0, longest))  # noqa: S311 - spreads retries, guards nothing
    raise Throttled(f"DynamoDB left items of a BatchWriteItem unprocessed {_ATTEMPTS} times")
