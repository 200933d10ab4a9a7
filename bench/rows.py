"""The rows that are measured: a CSV as the client cuts it into batches, and the same rows as others send them."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from client.batches import Batch, Batcher
from client.csv_file import open_source
from client.reader import Reader
from invoices.batch import unpack
from invoices.limits import MAX_BODY_BYTES

REAL_FILE = Path(__file__).parents[2] / "shared" / "data" / "online_retail_2010-12.csv.gz"
"""The real December 2010, where it lies beside this repository; ONLINE_RETAIL_CSV names another place."""

_FIRST_KEY = 0x018BCFE5_6800_7000_8000_000000000000


def real_file() -> Path | None:
    file = Path(os.environ.get("ONLINE_RETAIL_CSV", REAL_FILE))
    return file if file.exists() else None


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch as the client posts it."""

    key: str
    body: bytes
    rows: int

    def texts(self) -> list[bytes]:
        return unpack(self.body, MAX_BODY_BYTES).splitlines()

    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts()]


def sent_batches(csv: Path, batch_rows: int) -> Iterator[Sent]:
    """What the client would post. Keys are the same in every run, so that counts are, too."""
    with open_source(csv) as source:
        for batch in Batcher(batch_rows, keys()).batches(Reader(source).chunks()):
            if batch.rows:
                yield _sent(batch)


def keys() -> Callable[[], str]:
    """UUIDv7s of one instant, numbered."""
    numbers = iter(range(_FIRST_KEY, _FIRST_KEY + 10**9))
    return lambda: str(UUID(int=next(numbers)))


def _sent(batch: Batch) -> Sent:
    return Sent(batch.key, batch.body, len(batch.rows))
