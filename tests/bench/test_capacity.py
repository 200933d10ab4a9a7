"""The page on capacity is what the code computes."""

from pathlib import Path

import pytest

from bench.bill import read_prices
from bench.capacity import (
    LOADS,
    PerRow,
    Work,
    capacity_page,
    on_demand_dollars,
    per_row,
    provisioned_dollars,
    quotas,
    shards,
    tightest_first,
)
from bench.counts import Counts
from bench.designs import API, REFRESH, TO_DYNAMODB, setting
from consumers.lake.staging import MOST_FILES

PAGE = Path(__file__).parents[2] / "docs" / "capacity.md"
API_WORK = Work(cpu_microseconds=5, calls=0, cpu_factor=2, microseconds_per_call=10_000)
CONSUMER_WORK = Work(cpu_microseconds=20, calls=0.0035, cpu_factor=2, microseconds_per_call=10_000)
ROW = PerRow(5000, 4000, 25, 0.1, API_WORK, CONSUMER_WORK, counted_rows=1)


@pytest.mark.slow
def test_the_page_is_what_the_code_prints(environment: None) -> None:
    """`python -m bench capacity > docs/capacity.md` writes it anew."""
    assert PAGE.read_text() == capacity_page(read_prices())


def test_the_tightest_comes_first() -> None:
    """At every load."""
    for load in LOADS:
        shares = [quota.share(load) for quota in tightest_first(load, ROW)]
        assert shares == sorted(shares, reverse=True)


def test_shards_follow_bytes_and_time() -> None:
    """50 for the bytes of a million rows a second, 150 for to_dynamodb: both twice, to catch up."""
    assert shards(1_000_000, ROW) == (50, 150)


def test_lambdas_time_is_computing_and_waiting() -> None:
    """20 us of CPU twice, and 0.0035 of a wait of 10 ms."""
    assert (CONSUMER_WORK.computing, CONSUMER_WORK.waiting) == pytest.approx((40, 35))
    assert CONSUMER_WORK.microseconds == 75


def test_the_page_computes_as_the_bill_does() -> None:
    """With the same factor and the same wait, and with calls that were counted."""
    counts = Counts(rows=1_000, requests=1)
    counts.calls_by_function[API] = type(counts.calls)({"PutRecord": 1})
    counts.calls_by_function[TO_DYNAMODB] = type(counts.calls)({"BatchWriteItem": 4})
    prices = read_prices()
    row = per_row(counts, 5_000, prices)
    wait = prices.assumed("seconds_per_call")
    assert [row.api.waiting, row.to_dynamodb.waiting] == pytest.approx([0.001 * wait * 1e6, 0.004 * wait * 1e6])
    assert row.api.cpu_factor == prices.assumed("lambda_cpu_factor")


def test_what_a_slow_machine_reads_more_often_counts_once() -> None:
    """Who is erased is read again after ten seconds, and the page must be the same everywhere."""
    counts = Counts(rows=1_000, requests=1)
    counts.calls_by_function[API] = type(counts.calls)({"PutRecord": 1, "GetItem": 2})
    counts.calls_by_function[TO_DYNAMODB] = type(counts.calls)({"BatchWriteItem": 4, "GetObject": 3})
    row = per_row(counts, 5_000, read_prices())
    assert (row.api.calls, row.to_dynamodb.calls) == (0.002, 0.005)


def test_a_shard_costs_by_the_hour_and_a_stream_on_demand_by_the_gigabyte() -> None:
    """With almost no rows, an hour is all that costs: a shard's and its retention's, or the stream's."""
    prices = read_prices()
    assert provisioned_dollars(2, 0, ROW, prices) == pytest.approx(2 * 730 * (0.015 + 0.02))
    assert on_demand_dollars(0, ROW, prices) == pytest.approx(730 * 0.04)
    assert on_demand_dollars(10_000, ROW, prices) > provisioned_dollars(1, 10_000, ROW, prices)


def test_each_quota_has_its_source() -> None:
    """They stand in bench/capacity_page.md, with the same limits."""
    sources = PAGE.read_text().partition("## Sources of the quotas")[2]
    assert [
        quota.name for quota in quotas(ROW) if f"\n- {quota.name}: {quota.limit:,.0f} {quota.unit}. " not in sources
    ] == []


def test_the_lakes_limits_are_those_of_its_function() -> None:
    """They stand in bench/capacity_page.md; a month may take half of what the function has."""
    seconds, megabytes = setting(REFRESH, "Timeout"), setting(REFRESH, "MemorySize")
    disk = setting(REFRESH, "EphemeralStorage", "Size")
    lines = {
        f"| time | {seconds} s / 2 / (3 us x 2)": seconds / 2 / 6,
        f"| disk | {disk:,} MB / 2 / 20 B": disk / 2 / 20,
        f"| memory | ({megabytes:,} - 500) MB / 2 / 10 B": (megabytes - 500) / 2 / 10,
    }
    text = PAGE.read_text()
    assert [row for row, millions in lines.items() if f"{row} | {millions:,.0f} million |" not in text] == []
    assert f"too large at {min(lines.values()):,.0f} million lines" in text


@pytest.mark.parametrize("times", [360, 15, 12])
def test_comparing_with_a_row_of_the_lake_costs_lambdas_time(times: int) -> None:
    """0.5 us of CPU with the bill's factor each time, and 3 us each eighth time, when its partition is written anew."""
    prices = read_prices()
    gigabytes = setting(REFRESH, "MemorySize") / 1024
    micros = (0.5 + 3 / MOST_FILES) * prices.assumed("lambda_cpu_factor")
    dollars = micros * gigabytes * prices["lambda.per_gb_second"]
    assert f"| {times} times | {times * dollars:.4f} |" in PAGE.read_text()
