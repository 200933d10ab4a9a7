"""Batches end between invoices and stay below every limit."""

import gzip
import json
import random
from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.batches import MAX_BATCH_BYTES, MAX_BATCH_ROWS, MAX_PACKED_BYTES, Batch, Batcher
from client.reader import Chunk, Rows
from invoices import limits as api_limits
from tests.client.made_rows import made_rows


def _batches(chunks: Sequence[Rows], max_rows: int) -> list[Batch]:
    keys = (f"batch-{number}" for number in count(1))
    parts = Batcher(max_rows, lambda: next(keys)).parts(Chunk(rows, ()) for rows in chunks)
    return [part for part in parts if isinstance(part, Batch)]


def _invoices(cut: Sequence[Batch]) -> list[str]:
    """Of each batch, the invoices of its rows."""
    texts = [bytes(batch.rows.ndjson()).splitlines() for batch in cut]
    return ["".join(json.loads(text)["InvoiceNo"] for text in batch) for batch in texts]


@pytest.mark.parametrize(
    ("invoices", "cut"),
    [
        ("AABBB", ["AABBB"]),
        ("AABBBB", ["AA", "BBBB"]),
        ("AAAAAAAAAAAAB", ["AAAAA", "AAAAA", "AAB"]),
        ("ABBBBBBBC", ["A", "BBBBB", "BBC"]),
        ("ABABABAB", ["ABABA", "BAB"]),
        ("", []),
    ],
)
def test_batches_end_between_invoices(invoices: str, cut: list[str]) -> None:
    """As many whole invoices as fit; one that is longer than a batch is split."""
    assert _invoices(_batches([made_rows(invoices)], 5)) == cut


@given(st.lists(st.text(st.sampled_from("AB"), max_size=9), max_size=6), st.integers(1, 7))
def test_chunks_leave_no_trace(chunks: list[str], max_rows: int) -> None:
    """Where the file was cut for reading does not show in the batches."""
    assert _invoices(_batches([made_rows(chunk) for chunk in chunks], max_rows)) == _invoices(
        _batches([made_rows("".join(chunks))], max_rows)
    )


def test_the_same_rows_are_the_same_bytes() -> None:
    """A body has no time in it, and can be read as NDJSON."""
    first, second = (_batches([made_rows("AB")], 5)[0] for _ in range(2))
    assert first.body == second.body
    assert gzip.decompress(first.body) == b'{"InvoiceNo":"A"}\n{"InvoiceNo":"B"}'


def test_a_batch_stays_below_the_limit_of_a_request() -> None:
    """Long rows make batches of fewer rows; every row is sent."""
    cut = _batches([made_rows("A" * 300, [b"x" * 60_000] * 300)], 10_000)
    assert max(len(gzip.decompress(batch.body)) for batch in cut) <= MAX_BATCH_BYTES
    assert sum(len(batch.rows) for batch in cut) == 300


def test_a_batch_stays_below_the_limit_of_a_record() -> None:
    """Rows that gzip can do nothing for are cut by what they come to when packed."""
    texts = [random.Random(seed).randbytes(50_000) for seed in range(60)]  # noqa: S311 - repeatable, not secret
    cut = _batches([made_rows("A" * 60, texts)], 10_000)
    assert max(len(batch.body) for batch in cut) <= MAX_PACKED_BYTES
    assert b"\n".join(batch.rows.ndjson() for batch in cut) == b"\n".join(texts)


def test_a_row_beyond_every_limit_is_sent_alone() -> None:
    """It is for the API to refuse it, with its reason."""
    cut = _batches([made_rows("ABC", [b"a", b"x" * (MAX_BATCH_BYTES + 1), b"c"])], 10)
    assert [len(batch.rows) for batch in cut] == [1, 1, 1]


def test_halves_are_new_batches_that_end_between_invoices() -> None:
    """They have other bodies, so they have other keys."""
    batch = _batches([made_rows("AAABBBBB")], 10)[0]
    halves = Batcher(10, lambda: "new").split(batch)
    assert (_invoices(halves), [half.key for half in halves]) == (["AAA", "BBBBB"], ["new", "new"])


def test_the_limits_are_the_apis() -> None:
    """The client repeats them, because it imports nothing of the API."""
    assert (MAX_BATCH_ROWS, MAX_BATCH_BYTES, MAX_PACKED_BYTES) == (
        api_limits.MAX_ROWS,
        api_limits.MAX_BODY_BYTES,
        api_limits.MAX_RECORD_BYTES,
    )
