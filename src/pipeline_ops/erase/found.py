"""What an erasure looks for, and what it found in each store."""

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from aws.erasures import ErasedCustomers
from invoices.normal_forms import ID_PATTERN, id_from_number
from pipeline_ops.errors import OpsError

_ESCAPE = b"\\"  # JSON may write every character as an escape
_EXPONENT = re.compile(rb":\s*[0-9.]+[eE]")  # 1.785e4 is a number of JSON


class Store(StrEnum):
    """Where copies of a row can be."""

    RAW = "raw/"
    OLD_VERSIONS = "old versions of objects"
    FAILED = "failed/"
    REDRIVEN = "failed-redriven/"
    DISCARDED = "aws/lambda/"
    REJECTED = "rejected/"
    INVOICES = "table of slices"
    CUSTOMERS = "table of pointers"
    LAKE = "lake"
    OLD_LAKE_FILES = "old files of the lake"


@dataclass
class Found:
    """Per store, the objects or items that name the customer, and the rows in them.

    Nobody knows whether an item in `unreadable` names the customer. Each is an invoice number, `#` and a slice id.
    """

    objects: Counter[Store] = field(default_factory=Counter)
    rows: Counter[Store] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    def add(self, store: Store, rows: int) -> None:
        self.objects[store] += 1
        self.rows[store] += rows

    def include(self, other: "Found") -> None:
        self.objects.update(other.objects)
        self.rows.update(other.rows)
        self.unreadable.extend(other.unreadable)

    @property
    def is_empty(self) -> bool:
        return not self.objects

    def as_json_object(self) -> dict[str, dict[str, int]]:
        return {store.value: {"objects": self.objects[store], "rows": self.rows[store]} for store in self.objects}


@dataclass(frozen=True)
class Target:
    """The customer to find. With `dry_run` nothing is written."""

    customer_id: str
    customers: ErasedCustomers
    dry_run: bool

    def may_be_in(self, text: bytes) -> bool:
        """False only where no row of the JSON text can name the customer: cheap, for a million rows."""
        return self.customer_id.encode() in text or _ESCAPE in text or _EXPONENT.search(text) is not None


def parse_customer_id(text: str) -> str:
    """The normal form of the id. Raises OpsError for text that no customer can have as an id."""
    if re.fullmatch(r"\d{1,38}\.0", text, re.ASCII):
        return id_from_number(text)
    if not re.match(ID_PATTERN.removesuffix("$") + r"\Z", text):
        raise OpsError("--customer must be 1 to 40 letters, digits, '_' or '-'.")
    return text
