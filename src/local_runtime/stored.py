"""What the stores hold: every slice and pointer in the tables, every row in the raw objects."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from invoices.items import POINTER_SEPARATOR, ReadItem, slice_from_item
from invoices.limits import MAX_BODY_BYTES
from invoices.packing import unpack
from local_runtime.clients import Clients
from local_runtime.tally import Tally

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_RAW = "raw/"


@dataclass(frozen=True)
class Places:
    """The names of the bucket and the tables, as the functions have them in their environment."""

    bucket: str
    invoices_table: str
    customers_table: str


@dataclass
class Stored:
    """`tally` is the union of all slices; `pointed` are the (customer, invoice) pairs that pointers lead to.

    Every object that is not a raw one is a record that a consumer, or Lambda for it, has set aside.
    """

    tally: Tally = field(default_factory=Tally)
    slices: int = 0
    pointers: int = 0
    pointed: set[tuple[str, str]] = field(default_factory=set)
    raw_objects: int = 0
    raw_rows: int = 0
    set_aside: int = 0

    @property
    def customers(self) -> int:
        return len({customer for customer, _ in self.pointed})


def read_stored(clients: Clients, places: Places) -> Stored:
    stored = Stored()
    for item in _items(clients.dynamodb, places.invoices_table):
        _add_slice(stored, item)
    for item in _items(clients.dynamodb, places.customers_table):
        _add_pointer(stored, item)
    for key in _keys(clients.s3, places.bucket):
        _add_object(stored, clients.s3, places.bucket, key)
    return stored


def _add_slice(stored: Stored, item: ReadItem) -> None:
    stored.slices += 1
    for line_id, line in slice_from_item(item).lines.items():
        stored.tally.add(line_id, line)


def _add_pointer(stored: Stored, item: ReadItem) -> None:
    stored.pointers += 1
    invoice_no = item["Slice"]["S"].partition(POINTER_SEPARATOR)[0]
    stored.pointed.add((item["CustomerID"]["S"], invoice_no))


def _add_object(stored: Stored, s3: "S3Client", bucket: str, key: str) -> None:
    if not key.startswith(_RAW):
        stored.set_aside += 1
        return
    stored.raw_objects += 1
    data = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    stored.raw_rows += sum(1 for row in unpack(data, MAX_BODY_BYTES).split(b"\n") if row.strip())


def _items(dynamodb: "DynamoDBClient", table: str) -> Iterator[ReadItem]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        yield from page["Items"]


def _keys(s3: "S3Client", bucket: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            yield entry["Key"]
