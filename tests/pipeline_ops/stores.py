"""Filled stores for tests: batches as both consumers would store them, and ways to spoil what is stored."""

import json
from collections.abc import Iterator, Mapping, Sequence

from consumers.archive import Archive
from consumers.batch_loop import consume
from consumers.event import KinesisEvent
from consumers.index import Index
from consumers.set_aside import FailedFolder
from invoices.items import Item, slice_from_item
from invoices.line import Line
from invoices.packing import pack
from pipeline_ops.verify import Stores
from tests.consumers.events import PLENTY, delivered
from tests.invoice_rows import ndjson

_LINES = {"#lines": "Lines"}

BUCKET = "raw-bucket"
BATCH = "018bcfe5-6800-7000-8000-000000000000"
NAMED = "a.0123456789abcdef"
RAW_KEY = f"raw/dt=2023-11-14/hour=22/{BATCH}.ndjson.gz"


def index_of(stores: Stores) -> Index:
    return Index(stores.dynamodb, stores.invoices_table, stores.customers_table)


def send(stores: Stores, rows: Sequence[Mapping[str, object]], batch_id: str = BATCH) -> None:
    """Through both consumers, as one record."""
    deliver(stores, pack(ndjson(rows)), batch_id)


def deliver(stores: Stores, data: bytes, batch_id: str = BATCH) -> None:
    event: KinesisEvent = {"Records": [delivered(data, batch_id)]}
    consume(event, Archive(stores.s3, BUCKET).add, FailedFolder(stores.s3, BUCKET, "to_s3").keep, PLENTY)
    consume(event, index_of(stores).add, FailedFolder(stores.s3, BUCKET, "to_dynamodb").keep, PLENTY)


def keys(stores: Stores, prefix: str = "") -> list[str]:
    listed = stores.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [each["Key"] for each in listed]


def copy(stores: Stores, source: str, target: str) -> None:
    stores.s3.copy_object(Bucket=BUCKET, Key=target, CopySource={"Bucket": BUCKET, "Key": source})


def items(stores: Stores, table: str) -> list[str]:
    """As text, sorted, to be compared."""
    return sorted(json.dumps(item, sort_keys=True) for item in stores.dynamodb.scan(TableName=table)["Items"])


def tables(stores: Stores) -> tuple[list[str], list[str]]:
    return items(stores, stores.invoices_table), items(stores, stores.customers_table)


def stored_lines(stores: Stores) -> Iterator[Line]:
    for item in stores.dynamodb.scan(TableName=stores.invoices_table)["Items"]:
        yield from slice_from_item(item).lines.values()


def slice_key_of(stores: Stores, invoice_no: str) -> Item:
    """The key of the only slice of this invoice."""
    items = stores.dynamodb.scan(TableName=stores.invoices_table)["Items"]
    (item,) = (item for item in items if item["InvoiceNo"]["S"] == invoice_no)
    return {name: item[name] for name in ("InvoiceNo", "SliceId")}


def delete_second_line(stores: Stores, invoice_no: str) -> None:
    stores.dynamodb.update_item(
        TableName=stores.invoices_table,
        Key=slice_key_of(stores, invoice_no),
        UpdateExpression="REMOVE #lines[1]",
        ExpressionAttributeNames=_LINES,
    )


def alter_first_price(stores: Stores, invoice_no: str) -> None:
    stores.dynamodb.update_item(
        TableName=stores.invoices_table,
        Key=slice_key_of(stores, invoice_no),
        UpdateExpression="SET #lines[0].UnitPrice = :price",
        ExpressionAttributeNames=_LINES,
        ExpressionAttributeValues={":price": {"N": "9.99"}},
    )
