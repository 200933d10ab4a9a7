"""The monthly bill of a file's rows: on the terminal, and as findings beside the goals."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.bill import Bill, bill, cloudwatch_allowance, dollars, monthly_cost
from bench.counts import Counts
from bench.designs import IDIOMATIC, ORIGINAL, Design, our_design, small_design
from bench.findings import Finding, figure
from bench.flows import idiomatic_counts, original_counts, our_counts
from bench.prices import Prices
from bench.rows import PostedBatch, posted_batches

MILLION = 1_000_000
_BATCH_ROWS = 5_000
_MOST_DOLLARS = 0.10
_LEAST_TIMES = 100


@dataclass(frozen=True, slots=True)
class CostedDesign:
    """What the file's rows used in a design, and what `rows_per_month` of them cost."""

    design: Design
    counts: Counts
    bill: Bill
    rows_per_month: int

    @property
    def per_million(self) -> float:
        """Dollars per million rows."""
        return dollars(self.bill.per_request) * MILLION / self.rows_per_month


def our_cost(csv: Path, prices: Prices, rows_per_month: int, batch_rows: int = _BATCH_ROWS) -> CostedDesign:
    return _costed(our_design(), our_counts(posted_batches(csv, batch_rows)), prices, rows_per_month)


def all_costs(csv: Path, prices: Prices) -> list[CostedDesign]:
    """Ours first, then the idiomatic design's and the original's, each for a million of the file's rows."""
    designs: list[tuple[Design, Callable[[Iterable[PostedBatch]], Counts]]] = [
        (our_design(), our_counts),
        (IDIOMATIC, idiomatic_counts),
        (ORIGINAL, original_counts),
    ]
    return [_costed(design, count(posted_batches(csv, _BATCH_ROWS)), prices, MILLION) for design, count in designs]


def _costed(design: Design, counts: Counts, prices: Prices, rows_per_month: int) -> CostedDesign:
    return CostedDesign(design, counts, bill(counts, design, prices, rows_per_month), rows_per_month)


def cost_findings(ours: CostedDesign, *baselines: CostedDesign) -> list[Finding]:
    counts, cost = ours.counts, ours.per_million
    idle, kept = dollars(ours.bill.monthly), dollars(ours.bill.storage)
    what = f"dollars per million rows, {counts.rows:,} rows"
    return [
        Finding(what, f"<= {_MOST_DOLLARS}", f"{cost:.4f}", cost <= _MOST_DOLLARS),
        _at_most("write units per million rows", counts.per_million(counts.write_units), 155_000),
        _at_most("calls to AWS per million rows", counts.per_million(counts.all_calls), 4_750),
        _at_most("PUT payload units per million rows", counts.per_million(counts.payload_units), 2_000),
        figure("bytes a row on the stream", f"{counts.stream_bytes / counts.rows:.1f}"),
        figure("dollars a month without rows, and to keep a million rows", f"{idle:.2f} and {kept:.3f}"),
        *(_baseline(each, cost) for each in baselines),
        *(_speed(each) for each in (ours, *baselines)),
    ]


def _at_most(what: str, counted: float, goal: int) -> Finding:
    return Finding(what, f"<= {goal:,}", f"{counted:,.0f}", counted <= goal)


def _baseline(theirs: CostedDesign, cost: float) -> Finding:
    counts, times = theirs.counts, theirs.per_million / cost
    units, calls = (counts.per_million(count) for count in (counts.write_units, counts.all_calls))
    goal, met = (f">= {_LEAST_TIMES} x ours", times >= _LEAST_TIMES) if theirs.design == ORIGINAL else ("", None)
    what, measured = f"dollars per million rows, {theirs.design.name}", f"{theirs.per_million:.2f} = {times:.0f} x"
    return Finding(what, goal, measured, met, f"{units:,.0f} write units, {calls:,.0f} calls")


def _speed(costed: CostedDesign) -> Finding:
    """Of one core which does the work of all functions, without waiting."""
    rows = costed.counts.rows / sum(costed.counts.cpu_seconds.values())
    return figure(f"rows a second of one core, request to both stores, {costed.design.name}", f"{rows:,.0f}")


def show_cost(console: Console, costed: CostedDesign, prices: Prices) -> None:
    """Service by service, with the assumptions behind the figures; then what an idle stack of each size costs."""
    table = Table(title=f"{costed.rows_per_month:,} rows a month, list prices {prices.region} as of {prices.as_of}")
    table.add_column("service")
    table.add_column("what")
    table.add_column("a month", justify="right")
    table.add_column("dollars", justify="right")
    for title, entries in (
        ("the rows of a month", costed.bill.per_request),
        ("storage, each month", costed.bill.storage),
        ("with or without rows", costed.bill.monthly),
    ):
        for entry in entries:
            table.add_row(entry.service, entry.what, f"{entry.amount:,.2f}", f"{entry.dollars:,.4f}")
        table.add_row("", f"[bold]{title}", "", f"[bold]{dollars(entries):,.4f}", end_section=True)
    console.print(table)
    console.print(_notes(costed, prices), highlight=False)
    console.print(_sizes(costed, prices))


def _sizes(costed: CostedDesign, prices: Prices) -> Table:
    table = Table(title="An idle stack, dollars a month")
    table.add_column("Size")
    table.add_column("list prices", justify="right")
    table.add_column("with CloudWatch's free allowances", justify="right")
    for size, design in (("standard", costed.design), ("small", small_design())):
        idle = dollars(monthly_cost(costed.counts, design, prices))
        free = cloudwatch_allowance(costed.counts, design, prices)
        table.add_row(size, f"{idle:.2f}", f"{idle - free:.2f}")
    return table


def _notes(costed: CostedDesign, prices: Prices) -> str:
    counts, assumed = costed.counts, prices.assumed
    free = cloudwatch_allowance(counts, costed.design, prices)
    return (
        f"{costed.per_million:.4f} dollars per million rows, from {counts.rows:,} rows counted through the real code: "
        f"{counts.per_million(counts.write_units):,.0f} write units, {counts.per_million(counts.all_calls):,.0f} calls "
        f"and {counts.per_million(counts.payload_units):,.0f} payload units per million.\n"
        f"Lambda's time is the CPU time measured here times {assumed('lambda_cpu_factor'):g}, and for each call "
        f"{assumed('seconds_per_call') * 1000:g} ms of waiting ({assumed('seconds_per_s3_call') * 1000:g} ms for S3): "
        "stated, not measured on AWS.\n"
        f"No free tier is subtracted; an account with no other use of CloudWatch pays {free:.2f} dollars less. "
        f"Queries are not counted.\nPrices: bench/price_list.toml, {prices.region}, {prices.as_of}, from the pricing "
        "pages of aws.amazon.com; each service's entry there says what it was compared with."
    )
