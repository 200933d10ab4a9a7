"""The sample has every oddity of the real data, in similar proportions, and is always the same."""

import csv
from collections import Counter, defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from local_runtime.errors import RunError
from local_runtime.sample import write_sample

Row = dict[str, str]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "sample.csv"
    write_sample(path)
    return path


@pytest.fixture(scope="module")
def rows(sample: Path) -> list[Row]:
    with sample.open(encoding="cp1252", newline="") as file:
        return list(csv.DictReader(file))


def _share(rows: list[Row], is_one: Callable[[Row], bool]) -> float:
    return sum(map(is_one, rows)) / len(rows)


def _values(rows: list[Row], key: str, value: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row[key]].add(row[value])
    return found


def test_two_runs_give_the_same_bytes(sample: Path, tmp_path: Path) -> None:
    """If a figure of a run changes, the pipeline is the reason."""
    write_sample(tmp_path / "again.csv")
    assert sample.read_bytes() == (tmp_path / "again.csv").read_bytes()


def test_a_longer_sample_begins_with_the_shorter(sample: Path, tmp_path: Path) -> None:
    """The number of rows only decides where the file ends."""
    write_sample(tmp_path / "short.csv", 100)
    short = (tmp_path / "short.csv").read_bytes()
    assert (short.count(b"\r\n"), sample.read_bytes().startswith(short)) == (101, True)


def test_it_is_cp1252_with_windows_line_ends(sample: Path) -> None:
    """A pound sign is one byte, which is not valid UTF-8."""
    data = sample.read_bytes()
    assert (data.count(b"\r\n"), data.count(b"\n"), b"\xa3" in data) == (20_001, 20_001, True)


@pytest.mark.parametrize(
    ("is_one", "real"),
    [
        pytest.param(lambda row: not row["CustomerID"], 0.249, id="no customer"),
        pytest.param(lambda row: not row["Description"], 0.0027, id="no description"),
        pytest.param(lambda row: row["Description"] != row["Description"].strip(), 0.209, id="spaces around"),
        pytest.param(lambda row: bool({'"', ","} & set(row["Description"])), 0.0111, id="quotes and commas"),
        pytest.param(lambda row: row["InvoiceNo"].startswith("C"), 0.0171, id="cancellations"),
        pytest.param(lambda row: int(row["Quantity"]) < 0, 0.0196, id="negative quantity"),
        pytest.param(lambda row: row["UnitPrice"] == "0", 0.0046, id="price 0"),
        pytest.param(lambda row: not row["StockCode"][0].isdigit(), 0.0055, id="codes of letters"),
    ],
)
def test_a_share_is_like_the_real_one(rows: list[Row], is_one: Callable[[Row], bool], real: float) -> None:
    """It differs from the real one by less than 40 %."""
    assert pytest.approx(real, rel=0.4) == _share(rows, is_one)


def test_whole_rows_and_stock_codes_repeat(rows: list[Row]) -> None:
    """One row in a hundred is there twice; two in a hundred share invoice and stock code with another."""
    whole = len(rows) - len({tuple(row.values()) for row in rows})
    code = len(rows) - len({(row["InvoiceNo"], row["StockCode"]) for row in rows})
    assert pytest.approx([0.01, 0.02], rel=0.3) == [whole / len(rows), code / len(rows)]


@pytest.mark.parametrize("code", ["POST", "D", "M", "BANK CHARGES", "gift_0001_40"])
def test_special_stock_codes_occur(rows: list[Row], code: str) -> None:
    """They have spaces, underscores and lower case."""
    assert code in {row["StockCode"] for row in rows}


def test_stock_codes_end_in_letters_of_either_case(rows: list[Row]) -> None:
    """`85123A` and `85123a` are two codes."""
    ends = {row["StockCode"][-1] for row in rows if row["StockCode"][0].isdigit()}
    assert (any(end.isupper() for end in ends), any(end.islower() for end in ends)) == (True, True)


def test_prices_go_to_extremes(rows: list[Row]) -> None:
    """A bad debt is negative, one fee is huge, and some prices have three decimals."""
    prices = [Decimal(row["UnitPrice"]) for row in rows]
    debts = [row["UnitPrice"] for row in rows if row["InvoiceNo"].startswith("A")]
    fine = [price for price in prices if round(price, 2) != price]
    assert (Decimal("-11062.06"), Decimal(38970)) == (min(prices), max(prices))
    assert (debts, bool(fine)) == (["11062.06", "-11062.06"], True)


def test_quantities_go_to_extremes(rows: list[Row]) -> None:
    """There are a huge order and its cancellation."""
    quantities = [int(row["Quantity"]) for row in rows]
    assert (min(quantities), max(quantities)) == (-80_995, 80_995)


def test_one_invoice_has_more_than_a_thousand_lines(rows: list[Row]) -> None:
    """One slice cannot have so many."""
    assert Counter(row["InvoiceNo"] for row in rows).most_common(1)[0][1] > 1_100


def test_one_customer_has_hundreds_of_invoices(rows: list[Row]) -> None:
    """They do not fit on one page."""
    invoices = {customer: found for customer, found in _values(rows, "CustomerID", "InvoiceNo").items() if customer}
    assert max(map(len, invoices.values())) == 248


def test_an_invoice_may_carry_two_dates(rows: list[Row]) -> None:
    """Each line keeps its own date."""
    assert {1, 2} == {len(dates) for dates in _values(rows, "InvoiceNo", "InvoiceDate").values()}


def test_a_customer_may_have_two_countries_but_an_invoice_one_customer(rows: list[Row]) -> None:
    """The real data has such customers, too."""
    countries = _values([row for row in rows if row["CustomerID"]], "CustomerID", "Country")
    customers = _values(rows, "InvoiceNo", "CustomerID")
    assert ({1, 2}, {1}) == ({len(each) for each in countries.values()}, {len(each) for each in customers.values()})


def test_dates_are_written_month_first_without_zeros(rows: list[Row]) -> None:
    """`12/1/2010 8:26` is the first of December."""
    assert rows[0]["InvoiceDate"].startswith("12/1/2010 8:")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The message is one sentence with the path."""
    with pytest.raises(RunError, match="cannot be written: No such file or directory"):
        write_sample(tmp_path / "nowhere" / "sample.csv", 1)
