"""The tables: every line of a record in a slice, every customer of a slice with a pointer to it."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from consumers.batch_write import Put, write_all
from consumers.event import Record
from consumers.reporting import unheard
from consumers.set_aside import SetAside
from invoices.items import pointer_items, slice_item
from invoices.limits import MAX_BODY_BYTES
from invoices.packing import pack, unpack
from invoices.rows import Rows, ndjson_rows, read_ndjson
from invoices.slices import Slice, slices_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


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

    def add(self, record: Record) -> SetAside | None:
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
        for piece in slices:
            yield Put(self._invoices_table, slice_item(piece))
        for piece in slices:
            yield from (Put(self._customers_table, item) for item in pointer_items(piece))


def _invalid_rows(data: bytes, rows: Rows) -> SetAside:
    texts = ndjson_rows(data)
    invalid = sorted({error.index for error in rows.errors})
    payload = pack(b"\n".join(texts[index] for index in invalid))
    return SetAside(payload, f"{len(invalid)} of {len(texts)} rows are no invoice lines", tuple(rows.errors))
