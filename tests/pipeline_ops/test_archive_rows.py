"""A raw object's name tells its batch, whatever the batch's name looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.archive import batch_id_of, second_body_key
from invoices.batch import BATCH_ID_PATTERN, pack, raw_key
from pipeline_ops.bucket import read_raw_object
from pipeline_ops.options import Stores
from tests.invoice_rows import row
from tests.pipeline_ops.stores import BUCKET, keys, send, stored_ids

batch_ids = st.from_regex(BATCH_ID_PATTERN[:-1] + r"\Z") | st.sampled_from(["a.ndjson.gz", "a.0123456789abcdef"])


@given(batch_ids, st.binary(max_size=20))
def test_first_and_second_body(batch_id: str, rows: bytes) -> None:
    """No batch id holds the sign that sets them apart."""
    names = [raw_key(batch_id), second_body_key(batch_id, pack(rows))]
    assert [batch_id_of(name) for name in names] == [batch_id, batch_id]
    assert len(set(names)) == 2


@given(batch_ids, batch_ids, st.binary(max_size=20))
def test_no_second_body_has_the_name_of_another_batch(batch_id: str, other: str, rows: bytes) -> None:
    """Else one of the two would count as delivered already."""
    assert second_body_key(batch_id, pack(rows)) != raw_key(other)


@pytest.mark.parametrize("batch_id", ["a.ndjson.gz", "a.0123456789abcdef"])
def test_line_ids_are_those_of_the_tables(stores: Stores, batch_id: str) -> None:
    """Of the first body and of the second."""
    send(stores, [row()], batch_id)
    send(stores, [row(), row()], batch_id)
    raw = [read_raw_object(stores.s3, BUCKET, key) for key in keys(stores, "raw/")]
    assert {name.hex() for found in raw for name in found.line_ids()} == set(stored_ids(stores))
    assert all(found.is_named_well for found in raw)
