"""Counts times prices."""

from collections import Counter
from pathlib import Path

import pytest

from aws.metrics import EmfLog, Metric
from bench.bill import Prices, bill, cloudwatch_allowance, dollars, function_seconds, log_bytes, read_prices
from bench.counts import Counts
from bench.designs import Design, our_design

TEMPLATE = Path(__file__).parents[2] / "template.yaml"

DESIGN = Design("any", "HTTP API", {"f": 1024}, alarms=3)


@pytest.fixture
def prices() -> Prices:
    return read_prices()


def test_write_units_cost_their_list_price(prices: Prices) -> None:
    """Of as many rows as the bill is for."""
    counts = Counts(rows=1_000, write_units=120)
    entries = bill(counts, DESIGN, prices, rows=1_000_000).per_request
    (units,) = (entry for entry in entries if entry.what == "write units")
    assert [units.amount, units.dollars] == pytest.approx([120_000, 0.075])


def test_a_rest_api_costs_three_and_a_half_times_as_much(prices: Prices) -> None:
    """By the request."""
    counts = Counts(rows=1, requests=1, gateway_units=1)
    http = bill(counts, DESIGN, prices, 1_000_000).per_request[0]
    rest = bill(counts, Design("any", "REST API", {}), prices, 1_000_000).per_request[0]
    assert [http.dollars, rest.dollars] == pytest.approx([1.0, 3.5])


def test_lambda_is_billed_for_computing_and_waiting(prices: Prices) -> None:
    """CPU times the stated factor, and the stated wait for each call."""
    counts = Counts(rows=1)
    counts.cpu_seconds["f"] = 0.5
    counts.calls_by_function["f"] = type(counts.calls)({"PutObject": 2, "GetItem": 1})
    assumed = prices.assumed
    waits = 2 * assumed("seconds_per_s3_call") + assumed("seconds_per_call")
    assert function_seconds(counts, "f", prices) == pytest.approx(0.5 * assumed("lambda_cpu_factor") + waits)


def test_an_idle_stack_costs(prices: Prices) -> None:
    """A month of an on-demand stream, alarms, metrics of both kinds, a dashboard, and keys asked for by the hour."""
    design = Design("any", "HTTP API", {}, alarms=3, dashboards=1, service_metrics=6, key_users=2)
    counts = Counts(rows=1, metrics={("n", "RowsAccepted", ())})
    watched = 3 * 0.10 + 1 * 3.00 + (1 + 6) * 0.30
    keys = 2 * 12 * 730 * 0.03 / 10_000
    assert dollars(bill(counts, design, prices, 1).monthly) == pytest.approx(730 * 0.04 + watched + keys)


def test_a_refresh_of_the_lake_costs_also_if_nothing_is_new(prices: Prices) -> None:
    """By its stated seconds and its memory."""
    design = Design("any", "HTTP API", {}, refreshes=730, refresh_memory=2048)
    (lake,) = [each for each in bill(Counts(rows=1), design, prices, 1).monthly if each.service == "Lambda"]
    assert lake.amount == pytest.approx(730 * prices.assumed("seconds_per_idle_refresh") * 2)


def test_cloudwatchs_free_allowance_is_computed_apart(prices: Prices) -> None:
    """At most what the design uses of it."""
    design = Design("any", "HTTP API", {}, alarms=30, dashboards=1, service_metrics=2)
    assert cloudwatch_allowance(Counts(), design, prices) == pytest.approx(10 * 0.10 + 2 * 0.30 + 3.00)


def test_a_day_on_the_stream_is_free_and_each_further_one_is_paid_once(prices: Prices) -> None:
    """So it belongs to the price of a row, not to storage."""
    counts = Counts(rows=1, stream_bytes=1_000)
    week = bill(counts, Design("any", "HTTP API", {}, stream_days=7), prices, 1_000_000)
    (kept,) = (entry for entry in week.per_request if entry.what == "GB-months of retention")
    assert [kept.amount, kept.dollars] == pytest.approx([6 / 30, 0.10 * 6 / 30])


def test_a_key_is_read_at_every_request_at_most(prices: Prices) -> None:
    """One unit each: a strongly consistent read of a small item."""
    counts = Counts(rows=1, requests=1)
    entries = bill(counts, Design("any", "HTTP API", {}, key_reads_per_request=1), prices, 1_000_000).per_request
    (keys,) = (entry for entry in entries if entry.what == "read units, API keys")
    assert [keys.amount, keys.dollars] == pytest.approx([1_000_000, 0.125])


def test_logs_are_our_lines_and_those_of_lambda_and_gateway(prices: Prices) -> None:
    """Ours are counted, the others stated."""
    counts = Counts(rows=1, requests=1, invocations=Counter({"f": 2}), log_bytes=1_000)
    assumed = prices.assumed
    assert log_bytes(counts, prices) == 1_000 + 2 * assumed("log_bytes_per_invocation") + assumed(
        "log_bytes_per_request"
    )


def test_a_line_costs_its_bytes_and_its_metrics_by_dimension() -> None:
    """A metric with a reason counts in the total as well, so it is two."""
    counts, lines = Counts(), list[str]()
    log = EmfLog("stack", lines.append, lambda: 0.0)
    log.put("b", [Metric("RowsAccepted", 1), Metric("RowsRejected", 1, reason="Quantity")])
    log.put("c", [Metric("RowsAccepted", 2)])
    counts.add_log("".join(lines))
    assert counts.log_bytes == sum(len(line) - 1 + 26 for line in lines)
    assert counts.metrics == {
        ("stack", "RowsAccepted", ()),
        ("stack", "RowsRejected", ()),
        ("stack", "RowsRejected", (("Reason", "Quantity"),)),
    }


def test_a_log_line_without_metrics_costs_only_its_bytes() -> None:
    """Plain text, and JSON of another kind."""
    counts = Counts()
    counts.add_log('hello\n{"level": "INFO"}\n')
    assert (counts.log_bytes, counts.metrics) == (5 + 26 + 17 + 26, set())


def test_only_large_objects_move_to_a_colder_class() -> None:
    """From 128 KB on, unless a rule says otherwise."""
    counts = Counts()
    counts.add_object(128 * 1024 - 1)
    counts.add_object(128 * 1024)
    assert (counts.movable_objects, counts.object_bytes) == (1, 2 * 128 * 1024 - 1)


def test_our_design_is_the_templates() -> None:
    """It asks AWS for no metric that costs money. Keys: four, one and three of the roles."""
    design, text = our_design(), TEMPLATE.read_text()
    assert design.alarms == text.count("Type: AWS::CloudWatch::Alarm")
    assert (design.dashboards, design.stream_days, design.log_days) == (1, 7, 30)
    assert (design.service_metrics, design.key_users) == (0, 10)
    assert (design.refreshes, design.refresh_memory) == (730, 1769)


def test_records_count_in_whole_kilobytes() -> None:
    """On demand; a payload unit is 25 KB."""
    counts = Counts()
    counts.add_record(1)
    counts.add_record(25 * 1024 + 1)
    assert (counts.stream_kib, counts.payload_units) == (27, 3)
