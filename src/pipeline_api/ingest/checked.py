"""A body whose rows were checked."""

from collections.abc import Callable
from dataclasses import dataclass

from invoices.rows import Rows


@dataclass(frozen=True, slots=True)
class Checked:
    """`ndjson` writes the accepted rows; it is called only where the body cannot be forwarded as it is."""

    rows: Rows
    ndjson: Callable[[], bytes]
