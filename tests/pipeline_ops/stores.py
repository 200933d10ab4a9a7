"""Filled stores for tests: batches as both consumers would store them, and ways to spoil what is stored."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal

from rich.progress import Progress

from aws.bucket import DeadLetterStore
from aws.items import Item, slice_from_item, slice_item, slice_key
from aws.lambda_events import KinesisEvent
from consumers.archive import Archive
from consumers.batch_loop import Stage, consume
from consumers.index import Index
from invoices.batch import pack
from invoices.invoice import Slice
from invoices.line import Line
from pipeline_ops.options import Stores
from tests.consumers.events import PLENTY, delivered
from tests.invoice_rows import ndjson
from tests.recorded_metrics import RecordedMetrics

BUCKET = "raw-bucket"
NO_BAR = Progress(disable=True)
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
    bucket, metrics_log = stores.bucket, RecordedMetrics()
    consume(event, PLENTY, Stage(Archive(bucket).add, DeadLetterStore(bucket, "to_s3").put), metrics_log)
    consume(event, PLENTY, Stage(index_of(stores).add, DeadLetterStore(bucket, "to_dynamodb").put), metrics_log)


def keys(stores: Stores, prefix: str = "") -> list[str]:
    return [each.key for each in stores.bucket.objects(prefix)]


def copy(stores: Stores, source: str, target: str) -> None:
    stores.bucket.s3.copy_object(Bucket=BUCKET, Key=target, CopySource={"Bucket": BUCKET, "Key": source})


def items(stores: Stores, table: str) -> list[str]:
    """As text, sorted, to be compared."""
    return sorted(json.dumps(item, sort_keys=True) for item in stores.dynamodb.scan(TableName=table)["Items"])


def tables(stores: Stores) -> tuple[list[str], list[str]]:
    return items(stores, stores.invoices_table), items(stores, stores.customers_table)


def stored_slices(stores: Stores) -> list[Slice]:
    return [slice_from_item(item) for item in stores.dynamodb.scan(TableName=stores.invoices_table)["Items"]]


def stored_lines(stores: Stores) -> list[Line]:
    return [line for invoice_slice in stored_slices(stores) for line in invoice_slice.lines.values()]


def stored_ids(stores: Stores) -> list[str]:
    return [name for invoice_slice in stored_slices(stores) for name in invoice_slice.lines]


def only_slice(stores: Stores, invoice_no: str) -> Slice:
    (invoice_slice,) = (
        invoice_slice for invoice_slice in stored_slices(stores) if invoice_slice.invoice_no == invoice_no
    )
    return invoice_slice


def slice_key_of(stores: Stores, invoice_no: str) -> Item:
    """The key of the only slice of this invoice."""
    return slice_key(f"{invoice_no}#{only_slice(stores, invoice_no).slice_id}")


def delete_second_line(stores: Stores, invoice_no: str) -> None:
    lines = list(only_slice(stores, invoice_no).lines.items())
    _put_lines(stores, invoice_no, dict(lines[:1] + lines[2:]))


def alter_first_price(stores: Stores, invoice_no: str) -> None:
    (name, line), *others = only_slice(stores, invoice_no).lines.items()
    _put_lines(stores, invoice_no, {name: line.model_copy(update={"UnitPrice": Decimal("9.99")}), **dict(others)})


def _put_lines(stores: Stores, invoice_no: str, lines: Mapping[str, Line]) -> None:
    """Into the item that is there, which keeps its key."""
    corrupt = Slice(invoice_no, only_slice(stores, invoice_no).slice_id, lines)
    stores.dynamodb.put_item(TableName=stores.invoices_table, Item=slice_item(corrupt))
