"""The page on capacity is what the code computes."""

from pathlib import Path

from bench.capacity import LOADS, PerRow, capacity_page, demands, generated_rows, shards

PAGE = Path(__file__).parents[2] / "docs" / "capacity.md"
ROW = PerRow(stream_bytes=25, write_units=0.1, api_seconds=1e-5, to_dynamodb_seconds=75e-6, counted_rows=1)


def test_the_page_is_what_the_code_prints(environment: None) -> None:
    """`python -m bench capacity --out docs/capacity.md` writes it anew."""
    assert PAGE.read_text() == capacity_page(generated_rows())


def test_the_tightest_comes_first() -> None:
    """At every load."""
    for load in LOADS:
        shares = [demand.share for demand in demands(load, ROW)]
        assert shares == sorted(shares, reverse=True)


def test_shards_follow_the_larger_need() -> None:
    """25 for the bytes of a million rows a second, 75 for to_dynamodb, which runs once a shard."""
    assert shards(1_000_000, ROW) == 75
