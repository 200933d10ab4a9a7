"""What the stores hold: every slice and pointer in the tables, every row in the raw objects."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from invoices.items import POINTER_SEPARATOR
from invoices.limits import MAX_BODY_BYTES
from invoices.packing import unpack
from invoices.rows import ndjson_rows
from invoices.slices import Slice
from local_runtime.report.tally import Tally
from local_runtime.stack.clients import Clients
from pipeline_ops.archive_rows import RAW
from pipeline_ops.bucket import objects_under, read_bytes
from pipeline_ops.stored import Pointer, stored_pointers, stored_slices

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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
    """Items that cannot be read hold nothing: their lines will be missing."""
    stored = Stored()
    for piece in stored_slices(clients.dynamodb, places.invoices_table):
        if isinstance(piece, Slice):
            _add_slice(stored, piece)
    for pointer in stored_pointers(clients.dynamodb, places.customers_table):
        _add_pointer(stored, pointer)
    for each in objects_under(clients.s3, places.bucket, prefix=""):
        _add_object(stored, clients.s3, places.bucket, each.key)
    return stored


def _add_slice(stored: Stored, piece: Slice) -> None:
    stored.slices += 1
    for line_id, line in piece.lines.items():
        stored.tally.add(bytes.fromhex(line_id), line)


def _add_pointer(stored: Stored, pointer: Pointer) -> None:
    stored.pointers += 1
    invoice_no = pointer.slice_name.partition(POINTER_SEPARATOR)[0]
    stored.pointed.add((pointer.customer_id, invoice_no))


def _add_object(stored: Stored, s3: "S3Client", bucket: str, key: str) -> None:
    if not key.startswith(RAW):
        stored.set_aside += 1
        return
    stored.raw_objects += 1
    stored.raw_rows += len(ndjson_rows(unpack(read_bytes(s3, bucket, key), MAX_BODY_BYTES)))
