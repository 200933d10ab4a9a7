"""The monthly bill of a file's rows on the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.bill import Bill, bill, dollars
from bench.counts import Counts
from bench.designs import IDIOMATIC, ORIGINAL, Design, our_design
from bench.entries import Entry
from bench.flows import idiomatic_counts, original_counts, our_counts
from bench.prices import Prices
from bench.rows import sent_batches
from bench.standing import free_of_cloudwatch

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Costed:
    """A design, what the file's rows used in it, and what a month's rows cost."""

    design: Design
    counts: Counts
    bill: Bill


def our_cost(csv: Path, batch_rows: int, prices: Prices, rows_per_month: int) -> Costed:
    counts, design = our_counts(sent_batches(csv, batch_rows)), our_design()
    return Costed(design, counts, bill(counts, design, prices, rows_per_month))


def rival_costs(csv: Path, prices: Prices, rows_per_month: int) -> list[Costed]:
    """The idiomatic design and the original's, on the same rows."""
    counted = [
        (IDIOMATIC, idiomatic_counts(sent_batches(csv, 5000))),
        (ORIGINAL, original_counts(sent_batches(csv, 5000))),
    ]
    return [Costed(design, counts, bill(counts, design, prices, rows_per_month)) for design, counts in counted]


def show_cost(console: Console, costed: Costed, prices: Prices, rows_per_month: int) -> None:
    """Service by service, with what the figures rest on."""
    table = Table(title=f"{rows_per_month:,} rows a month, list prices {prices.region} as of {prices.as_of}")
    table.add_column("service")
    table.add_column("what")
    table.add_column("a month", justify="right")
    table.add_column("dollars", justify="right")
    for title, entries in _sections(costed.bill):
        _add_section(table, title, entries)
    console.print(table)
    console.print(_foot(costed, prices, rows_per_month), highlight=False)


def show_comparison(console: Console, costs: Sequence[Costed], rows_per_month: int) -> None:
    """Dollars per million rows; the first design is the measure."""
    table = Table(title="Dollars per million rows, without what stands still")
    for column in ("design", "dollars", "times", "write units", "calls to AWS"):
        table.add_column(column, justify="left" if column == "design" else "right")
    least = dollars(costs[0].bill.passing)
    for cost in costs:
        passing = dollars(cost.bill.passing)
        counts = cost.counts
        figures = [f"{passing * MILLION / rows_per_month:.3f}", f"{passing / least:.0f}"]
        each = (counts.write_units, counts.all_calls)
        table.add_row(cost.design.name, *figures, *(f"{counts.per_million(count):,.0f}" for count in each))
    console.print(table)


def _sections(whole: Bill) -> list[tuple[str, tuple[Entry, ...]]]:
    return [
        ("the rows of a month", whole.passing),
        ("keeping them, each month", whole.keeping),
        ("standing, with or without rows", whole.standing),
    ]


def _add_section(table: Table, title: str, entries: Sequence[Entry]) -> None:
    for entry in entries:
        table.add_row(entry.service, entry.what, f"{entry.amount:,.2f}", f"{entry.dollars:,.4f}")
    table.add_row("", f"[bold]{title}", "", f"[bold]{dollars(entries):,.4f}", end_section=True)


def _foot(costed: Costed, prices: Prices, rows_per_month: int) -> str:
    counts, assumed = costed.counts, prices.assumed
    free = free_of_cloudwatch(counts, costed.design, prices)
    per_million = dollars(costed.bill.passing) * MILLION / rows_per_month
    return (
        f"{per_million:.4f} dollars per million rows, from {counts.rows:,} rows counted through the real code: "
        f"{counts.per_million(counts.write_units):,.0f} write units, {counts.per_million(counts.all_calls):,.0f} calls "
        f"and {counts.per_million(counts.payload_units):,.0f} payload units per million.\n"
        f"Lambda's time is CPU measured here times {assumed.lambda_cpu_factor:g}, and for each call "
        f"{assumed.seconds_per_call * 1000:g} ms of waiting ({assumed.seconds_per_s3_call * 1000:g} ms for S3): "
        "stated, not measured on AWS.\n"
        f"No free tier is taken off; an account with no other use of CloudWatch pays {free:.2f} dollars less. "
        f"Queries are not counted.\nPrices: bench/price_list.toml, {prices.region}, {prices.as_of}, from the pages on "
        "prices of aws.amazon.com; each service's entry there says what it was compared with."
    )
