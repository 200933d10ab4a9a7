"""What rows cost is counted, and the same in every run: calls, write units, bytes."""

import os
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from bench.baselines import original
from bench.bill import bill, dollars, read_prices
from bench.counts import Counts
from bench.designs import API, TO_DYNAMODB, TO_S3, Design, our_design
from bench.flows import idiomatic_counts, our_counts
from bench.rows import PostedBatch, posted_batches
from local_runtime.sample import write_sample

pytestmark = pytest.mark.slow

BESIDE = Path(__file__).parents[3] / "shared" / "data" / "online_retail_2010-12.csv.gz"
REAL_FILE = Path(os.environ.get("ONLINE_RETAIL_CSV", BESIDE))


def test_our_calls(batches: list[PostedBatch]) -> None:
    """One record and one object for each request; items 25 to a call."""
    counts = our_counts(batches)
    assert (counts.rows, counts.requests) == (2_000, len(batches))
    assert counts.calls_by_function[TO_S3] == {"GetObject": 1, "PutObject": len(batches)}
    assert counts.calls_by_function[API] == {"GetItem": 1, "PutRecord": len(batches)}
    assert counts.calls_by_function[TO_DYNAMODB]["BatchWriteItem"] < counts.items / 25 + len(batches)


def test_our_bytes(batches: list[PostedBatch]) -> None:
    """What the stream carries is what the client sent, and what the archive keeps."""
    counts = our_counts(batches)
    sent = sum(len(batch.body) for batch in batches)
    keys = sum(len(batch.key) for batch in batches)
    assert (counts.stream_bytes, counts.object_bytes) == (sent + keys, sent)
    assert counts.stream_bytes < 40 * counts.rows


def test_our_log_and_metrics(batches: list[PostedBatch]) -> None:
    """One line of each function for each batch; where nothing is refused, four metrics."""
    counts = our_counts(batches)
    assert {name for _, name, _ in counts.metrics} == {
        "RowsAccepted",
        "RecordsArchived",
        "RowsIndexed",
        "AgeWhenQueryable",
    }
    assert len(counts.metrics) == 4
    assert 3 * 200 * len(batches) < counts.log_bytes < 3 * 500 * len(batches)


def test_counts_are_the_same_in_every_run(batches: list[PostedBatch], monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the CPU times differ. At a round time the numbers of a receipt would have fewer digits."""
    one = our_counts(batches)
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    two = our_counts(batches)
    assert (one.calls, one.write_units, one.item_bytes, one.stream_bytes) == (
        two.calls,
        two.write_units,
        two.item_bytes,
        two.stream_bytes,
    )


def test_the_idiomatic_calls(batches: list[PostedBatch]) -> None:
    """500 records a call, an item for each row and one more for its customer."""
    counts = idiomatic_counts(batches[:1])
    rows = batches[0].present_values()
    with_customer = sum("CustomerID" in row for row in rows)
    assert (counts.calls["PutRecords"], counts.items) == (1, len(rows) + with_customer)


def test_the_goals_on_generated_rows(environment: None, tmp_path: Path) -> None:
    """With more CPU than we take, and the original without any.

    Keys, and who is erased, are read again as time passes, so more often on a slow machine: these calls are left out.
    """
    write_sample(tmp_path / "rows.csv", 42_000)
    ours = our_counts(posted_batches(tmp_path / "rows.csv", 5_000))
    ours.cpu_seconds.update(dict.fromkeys(ours.cpu_seconds, 20e-6 * ours.rows))
    theirs = replace(original.COUNTS, cpu_seconds=defaultdict(float))
    cost = dollars_a_million(ours, our_design())
    assert (ours.per_million(ours.write_units) <= 155_000, ours.per_million(ours.calls.total()) <= 4_750) == (
        True,
        True,
    )
    assert (ours.per_million(ours.payload_units) <= 2_000, cost <= 0.10) == (True, True)
    assert dollars_a_million(theirs, original.DESIGN) >= 100 * cost


def dollars_a_million(counts: Counts, design: Design) -> float:
    return dollars(bill(counts, design, read_prices(), 1_000_000).per_request)


@pytest.fixture
def real_batches(environment: None) -> list[PostedBatch]:
    """The real December 2010 at 5,000 rows a request."""
    if not REAL_FILE.exists():
        pytest.skip("the real data set is not part of this repository")
    return list(posted_batches(REAL_FILE, 5_000))


def test_the_goals_on_real_rows(real_batches: list[PostedBatch]) -> None:
    """Per million rows: 120,878 write units, 4,331 calls, some 1,000 payload units."""
    counts = our_counts(real_batches)
    assert (counts.rows, counts.write_units, counts.items, counts.calls.total()) == (42_481, 5_135, 3_751, 184)
    assert counts.per_million(counts.payload_units) <= 2_000
