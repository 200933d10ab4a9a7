"""Which comes first, the month or the day: found out over the whole file, before the first request."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.dates import SlashScan, normal_date, possible_orders
from tests.client.fake_api import FakeApi
from tests.client.run_client import row, run, summary_of, write_csv


def send(dates: Sequence[str], *options: str) -> tuple[FakeApi, int, str, dict[str, object]]:
    """The API, the exit code, what was written to standard error, and the summary if there is one."""
    api = FakeApi()
    result = run(
        api, "send", write_csv(Path("rows.csv"), [row(InvoiceDate=each) for each in dates]), "--json", *options
    )
    return api, result.exit_code, result.stderr, summary_of(result) if result.stdout else {}


def kept(api: FakeApi) -> list[str]:
    return [line.InvoiceDate for line in api.lines.values()]


def test_a_date_that_is_day_first_stops_the_upload() -> None:
    """The line that proves it is named, and the option; nothing is sent."""
    api, code, message, _ = send(["1/2/2010 8:26", "13/12/2010 8:26"])
    assert (code, api.requests) == (2, [])
    assert "Line 3 has a date that fits only day/month/year" in message
    assert "--dates dmy" in message
    assert "13/12" not in message


def test_dmy_reads_the_day_first() -> None:
    """Every date of the file, also those that fit both orders."""
    api, code, _, summary = send(["1/2/2010 8:26", "13/12/2010 8:26"], "--dates", "dmy")
    assert (code, kept(api), summary["dates"]) == (0, ["2010-02-01T08:26:00", "2010-12-13T08:26:00"], "dmy")


@pytest.mark.parametrize("options", [[], ["--dates", "mdy"], ["--dates", "dmy"]])
def test_both_orders_in_one_file_stop_the_upload(options: list[str]) -> None:
    """Whatever order is asked for: a line of each is named."""
    api, code, message, _ = send(["1/13/2010", "13/12/2010"], *options)
    assert (code, api.requests, "ine 2 " in message, "ine 3 " in message) == (2, [], True, True)


def test_iso_takes_no_dates_with_slashes() -> None:
    """The first of them is named."""
    assert send(["2010-12-01", "1/2/2010"], "--dates", "iso")[1:3] == (
        2,
        "rows.csv: Line 3 has a date with slashes. Send the file with --dates mdy or --dates dmy.\n",
    )
    assert send(["2010-12-01"], "--dates", "iso")[1] == 0


def test_a_file_that_fits_both_orders_is_month_first_with_a_note() -> None:
    """The note names the option."""
    api, code, _, summary = send(["1/2/2010"])
    assert (code, kept(api), "--dates dmy" in str(summary["notes"])) == (0, ["2010-01-02T00:00:00"], True)
    assert send(["1/2/2010"], "--dates", "mdy")[3]["notes"] == []
    assert send(["1/2/2010", "1/22/2010"])[3]["notes"] == []


def test_a_date_in_a_description_proves_nothing() -> None:
    """Only InvoiceDate counts."""
    api = FakeApi()
    rows = [row(Description="SOLD 22/12/2010"), row(InvoiceDate="12/24/2010")]
    assert run(api, "send", write_csv(Path("rows.csv"), rows)).exit_code == 0
    rows = [row(Description="SOLD 12/22/2010", InvoiceDate="1/2/2010")]
    assert "--dates dmy" in run(api, "send", write_csv(Path("other.csv"), rows)).stdout


@given(st.integers(1, 31), st.integers(1, 31), st.integers(1, 40))
def test_the_scan_sees_what_the_dates_say(first: int, second: int, size: int) -> None:
    """Wherever a block ends."""
    data = f"a,{first}/{second}/2010 8:26,b".encode()
    scan = SlashScan()
    for start in range(0, len(data), size):
        scan.feed(data[start : start + size])
    assert (scan.found, scan.has_high_first, scan.has_high_second) == (True, first > 12, second > 12)


def test_orders() -> None:
    """Of a text without slashes there are none, and of one that is no date there are none either."""
    texts = ["1/2/2010", "13/2/2010", "2/13/2010", "13/13/2010", "2010-01-02", ""]
    assert [sorted(possible_orders(text)) for text in texts] == [["dmy", "mdy"], ["dmy"], ["mdy"], [], [], []]
    assert normal_date("1/2/2010", "iso") == "1/2/2010"
