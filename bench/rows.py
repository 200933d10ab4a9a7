"""The rows that are measured: CSV files of the size that is wanted, and their rows as the client posts them."""

import csv
import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from client.batches import Batch, Batcher
from client.csv_file import open_source
from client.reader import Reader
from invoices.batch import unpack
from invoices.limits import MAX_BODY_BYTES

T = TypeVar("T")

_FIRST_KEY = 0x018BCFE5_6800_7000_8000_000000000000


@dataclass(frozen=True, slots=True)
class PostedBatch:
    """A batch as the client posts it."""

    key: str
    body: bytes
    rows: int

    def present_values(self) -> list[dict[str, Any]]:
        """The rows without their empty fields, as the baselines send them."""
        rows = map(json.loads, unpack(self.body, MAX_BODY_BYTES).splitlines())
        return [{name: value for name, value in row.items() if value is not None} for row in rows]


def posted_batches(csv_file: Path, batch_rows: int) -> Iterator[PostedBatch]:
    """What the client posts of a file. Keys, and so counts, are the same in every run."""
    with open_source(csv_file) as source:
        for part in Batcher(batch_rows, _numbered_keys()).parts(Reader(source).chunks()):
            if isinstance(part, Batch):
                yield PostedBatch(part.key, part.body, len(part.rows))


def first_batches(csv_file: Path, batch_rows: int, count: int) -> list[PostedBatch]:
    return list(islice(posted_batches(csv_file, batch_rows), count))


def grow(source: Path, rows: int, target: Path) -> Path:
    """Write so many rows in UTF-8: the source's again and again, each time with other invoices and customers."""
    header, *body = list(csv.reader(_text(source).splitlines()))
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header)
        writer.writerows(islice(_copies(header, body), rows))
    return target


def in_chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _numbered_keys() -> Callable[[], str]:
    """UUIDv7s of one instant."""
    numbers = iter(range(_FIRST_KEY, _FIRST_KEY + 10**9))
    return lambda: str(UUID(int=next(numbers)))


def _copies(header: list[str], body: list[list[str]]) -> Iterator[list[str]]:
    invoice, customer = header.index("InvoiceNo"), header.index("CustomerID")
    yield from body
    copy = 1
    while True:
        for row in body:
            changed = list(row)
            changed[invoice] = f"{row[invoice]}{copy:03}"
            changed[customer] = f"{row[customer]}{copy % 10}" if row[customer] else ""
            yield changed
        copy += 1


def _text(source: Path) -> str:
    data = source.read_bytes()
    plain = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    try:
        return plain.decode("utf-8-sig")
    except UnicodeDecodeError:
        return plain.decode("cp1252")
