"""The sums beside the table: exact, of one version, and never older than what a refresh has seen."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from aws.totals import DayTotals
from tests.consumers.lake.lakes import Lake
from tests.invoice_rows import row

pytestmark = pytest.mark.slow

JANUARY = "1/4/2011 10:00"
THEN = datetime(2026, 11, 25, tzinfo=UTC)


def current_days(lake: Lake) -> list[DayTotals]:
    current = lake.totals.current()
    assert current
    return [totals for key in current.months.values() for totals in lake.totals.month(key)]


def test_a_refresh_writes_the_sums_of_each_day_and_country(lake: Lake) -> None:
    lake.archive("one", [row(Occurrence=1), row(Occurrence=2, Quantity=-1), row(Occurrence=1, Country="Norway")])
    lake.archive("two", [row(Occurrence=1, InvoiceDate=JANUARY, UnitPrice="0.000001")])
    lake.refresh()
    assert current_days(lake) == [
        DayTotals("2010-12-01", "Norway", lines=1, quantity="6", amount="15.300000"),
        DayTotals("2010-12-01", "United Kingdom", lines=2, quantity="5", amount="12.750000"),
        DayTotals("2011-01-04", "United Kingdom", lines=1, quantity="6", amount="0.000006"),
    ]


def test_the_sums_of_the_largest_amounts_are_exact(lake: Lake) -> None:
    rows = [row(Occurrence=n, Quantity=999_999_999, UnitPrice="999999999.999999") for n in range(1, 1001)]
    lake.archive("one", rows)
    lake.refresh()
    assert Decimal(current_days(lake)[0].amount) == 1000 * 999_999_999 * Decimal("999999999.999999")


def test_sums_that_were_not_written_are_written_by_the_next_refresh(lake: Lake) -> None:
    """A refresh was killed between its commit and this."""
    lake.archive("one", [row(Occurrence=1)])
    lake.refresh()
    lake.s3.delete_object(Bucket=lake.bucket, Key="totals/current.json")
    lake.archive("two", [row(Occurrence=1)])
    lake.refresh()
    assert [totals.lines for totals in current_days(lake)] == [1]


def test_older_sums_never_replace_newer_ones(lake: Lake) -> None:
    """Two refreshes may end in another order than they committed in."""
    assert lake.totals.publish(2, THEN, {"2010-12": ["month=2010-12/new.parquet"]})
    newer = lake.totals.current()
    assert not lake.totals.publish(1, THEN, {"2010-12": ["month=2010-12/old.parquet"]})
    assert lake.totals.current() == newer
    assert newer
    assert newer.version == 2


def test_a_vacuum_spares_the_current_sums(lake: Lake) -> None:
    for day in range(3):
        lake.archive(str(day), [row(Occurrence=1, InvoiceDate=f"2010-12-0{day + 1}T00:00")])
        lake.refresh()
    assert (lake.totals.vacuum(timedelta(hours=1)), lake.totals.vacuum(timedelta())) == (0, 2)
    assert [totals.day for totals in current_days(lake)] == ["2010-12-01", "2010-12-02", "2010-12-03"]
