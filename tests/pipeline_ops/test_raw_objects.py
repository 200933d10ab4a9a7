"""A raw object yields the line ids that its lines have in the tables."""

import pytest

from pipeline_ops.options import Stores
from pipeline_ops.raw_objects import read_raw_object
from tests.invoice_rows import row
from tests.pipeline_ops.stores import keys, send, stored_ids


@pytest.mark.parametrize("batch_id", ["a.ndjson.gz", "a.0123456789abcdef"])
def test_line_ids_are_those_of_the_tables(stores: Stores, batch_id: str) -> None:
    """Of the first body and of another one, also where the batch id looks like the end of a key."""
    send(stores, [row()], batch_id)
    send(stores, [row(), row()], batch_id)
    raw = [read_raw_object(stores.bucket, key) for key in keys(stores, "raw/")]
    assert {name.hex() for found in raw for name in found.line_ids()} == set(stored_ids(stores))
    assert all(found.has_valid_key for found in raw)
