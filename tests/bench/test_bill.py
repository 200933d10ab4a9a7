"""Counts times prices."""

import pytest

from bench.bill import Design, bill, dollars, function_seconds
from bench.counts import Counts
from bench.prices import Prices, read_prices

DESIGN = Design("any", "HTTP API", {"f": 1024}, alarms=3)


@pytest.fixture
def prices() -> Prices:
    return read_prices()


def test_write_units_cost_their_list_price(prices: Prices) -> None:
    """Of as many rows as the bill is for."""
    counts = Counts(rows=1_000, write_units=120)
    entries = bill(counts, DESIGN, prices, rows=1_000_000).passing
    (units,) = (entry for entry in entries if entry.what == "write units")
    assert [units.amount, units.dollars] == pytest.approx([120_000, 0.075])


def test_a_rest_api_costs_three_and_a_half_times_as_much(prices: Prices) -> None:
    """By the request."""
    counts = Counts(rows=1, requests=1, gateway_units=1)
    http = bill(counts, DESIGN, prices, 1_000_000).passing[0]
    rest = bill(counts, Design("any", "REST API", {}, 0), prices, 1_000_000).passing[0]
    assert [http.dollars, rest.dollars] == pytest.approx([1.0, 3.5])


def test_lambda_is_billed_for_computing_and_waiting(prices: Prices) -> None:
    """CPU times the stated factor, and the stated wait for each call."""
    counts = Counts(rows=1)
    counts.cpu_seconds["f"] = 0.5
    counts.calls_by_function["f"] = type(counts.calls)({"PutObject": 2, "GetItem": 1})
    assumed = prices.assumed
    waits = 2 * assumed.seconds_per_s3_call + assumed.seconds_per_call
    assert function_seconds(counts, "f", prices) == pytest.approx(0.5 * assumed.lambda_cpu_factor + waits)


def test_what_stands_costs_without_rows(prices: Prices) -> None:
    """A month of an on-demand stream, and the alarms."""
    assert dollars(bill(Counts(rows=1), DESIGN, prices, 1).standing) == pytest.approx(730 * 0.04 + 3 * 0.10)


def test_records_count_in_whole_kilobytes() -> None:
    """On demand; a payload unit is 25 KB."""
    counts = Counts()
    counts.record(1)
    counts.record(25 * 1024 + 1)
    assert (counts.stream_kib, counts.payload_units) == (27, 3)
