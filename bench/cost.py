"""The monthly bill of a file's rows: on the terminal, and as findings beside the goals."""

from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from bench.baselines import original
from bench.bill import Bill, Prices, bill, cloudwatch_allowance, dollars, monthly_cost
from bench.designs import IDIOMATIC, our_design, small_design
from bench.findings import Finding, at_most, figure
from bench.flows import idiomatic_counts, our_counts
from bench.rows import posted_batches

MILLION = 1_000_000
_BATCH_ROWS = 5_000


def our_bill(csv: Path, prices: Prices, rows_per_month: int, batch_rows: int = _BATCH_ROWS) -> Bill:
    return bill(our_counts(posted_batches(csv, batch_rows)), our_design(), prices, rows_per_month)


def cost_findings(csv: Path, prices: Prices) -> list[Finding]:
    """Of a million of the file's rows in our design and the idiomatic one; the original's rows were counted once."""
    ours = our_bill(csv, prices, MILLION)
    idiomatic = bill(idiomatic_counts(posted_batches(csv, _BATCH_ROWS)), IDIOMATIC, prices, MILLION)
    replaced = bill(original.COUNTS, original.DESIGN, prices, MILLION)
    counts, idle, kept = ours.counts, dollars(ours.monthly), dollars(ours.storage)
    return [
        at_most(f"dollars per million rows, {counts.rows:,} rows", ours.per_million, 0.10, "{:.4f}"),
        at_most("write units per million rows", counts.per_million(counts.write_units), 155_000, "{:,.0f}"),
        at_most("calls to AWS per million rows", counts.per_million(counts.calls.total()), 4_750, "{:,.0f}"),
        at_most("PUT payload units per million rows", counts.per_million(counts.payload_units), 2_000, "{:,.0f}"),
        figure("bytes a row on the stream", f"{counts.stream_bytes / counts.rows:.1f}"),
        figure("dollars a month without rows, and to keep a million rows", f"{idle:.2f} and {kept:.3f}"),
        _baseline(idiomatic, ours),
        _baseline(replaced, ours, goal=100, origin="; recorded in bench/baselines/original.py"),
        *(_speed(each) for each in (ours, idiomatic)),
    ]


def _baseline(theirs: Bill, ours: Bill, goal: int = 0, origin: str = "") -> Finding:
    """`goal` is how many times as much as ours theirs is to cost; `origin` says where counts of another day stand."""
    counts, times = theirs.counts, theirs.per_million / ours.per_million
    units, calls = counts.per_million(counts.write_units), counts.per_million(counts.calls.total())
    what, measured = f"dollars per million rows, {theirs.design.name}", f"{theirs.per_million:.2f} = {times:.0f} x"
    note = f"{units:,.0f} write units, {calls:,.0f} calls{origin}"
    return Finding(what, f">= {goal} x ours", measured, times >= goal, note) if goal else figure(what, measured, note)


def _speed(costed: Bill) -> Finding:
    """Of one core which does the work of all functions, without waiting. The original's was measured on another day."""
    rows = costed.counts.rows / sum(costed.counts.cpu_seconds.values())
    return figure(f"rows a second of one core, request to both stores, {costed.design.name}", f"{rows:,.0f}")


def show_cost(console: Console, costed: Bill, prices: Prices) -> None:
    """Service by service, with the assumptions behind the figures; then what an idle stack of each size costs."""
    table = Table(
        "service",
        "what",
        Column("a month", justify="right"),
        Column("dollars", justify="right"),
        title=f"{costed.rows:,} rows a month, list prices {prices.region} as of {prices.as_of}",
    )
    for title, entries in (
        ("the rows of a month", costed.per_request),
        ("storage, each month", costed.storage),
        ("with or without rows", costed.monthly),
    ):
        for entry in entries:
            table.add_row(entry.service, entry.what, f"{entry.amount:,.2f}", f"{entry.dollars:,.4f}")
        table.add_row("", f"[bold]{title}", "", f"[bold]{dollars(entries):,.4f}", end_section=True)
    console.print(table)
    console.print(_notes(costed, prices), highlight=False)
    console.print(_sizes(costed, prices))


def _sizes(costed: Bill, prices: Prices) -> Table:
    table = Table(
        "Size",
        Column("list prices", justify="right"),
        Column("with CloudWatch's free allowances", justify="right"),
        title="An idle stack, dollars a month",
    )
    for size, design in (("standard", costed.design), ("small", small_design())):
        idle = dollars(monthly_cost(costed.counts, design, prices))
        free = cloudwatch_allowance(costed.counts, design, prices)
        table.add_row(size, f"{idle:.2f}", f"{idle - free:.2f}")
    return table


def _notes(costed: Bill, prices: Prices) -> str:
    counts, assumed = costed.counts, prices.assumed
    free = cloudwatch_allowance(counts, costed.design, prices)
    return (
        f"{costed.per_million:.4f} dollars per million rows, from {counts.rows:,} rows counted through the real code: "
        f"{counts.per_million(counts.write_units):,.0f} write units, {counts.per_million(counts.calls.total()):,.0f} "
        f"calls and {counts.per_million(counts.payload_units):,.0f} payload units per million.\n"
        f"Lambda's time is the CPU time measured here times {assumed('lambda_cpu_factor'):g}, and for each call "
        f"{assumed('seconds_per_call') * 1000:g} ms of waiting ({assumed('seconds_per_s3_call') * 1000:g} ms for S3): "
        "stated, not measured on AWS.\n"
        f"No free tier is subtracted; an account with no other use of CloudWatch pays {free:.2f} dollars less. "
        f"Queries are not counted.\nPrices: bench/price_list.toml, {prices.region}, {prices.as_of}, from the pricing "
        "pages of aws.amazon.com; each service's entry there says what it was compared with."
    )
