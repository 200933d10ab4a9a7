"""The lake's figures are of what a refresh really wrote, and SQL over the archive answers the same questions."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from bench.bill import dollars, read_prices
from bench.lake import lake_findings
from bench.lake_bill import LakeUse, idle_lake_cost, lake_cost
from bench.questions import archive_view
from bench.rows import grow, posted_batches
from local_runtime.environment import aws_environment
from local_runtime.sample import write_sample
from pipeline_ops.query import named_questions


@pytest.mark.slow
def test_a_re_send_writes_nothing_and_every_question_is_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in aws_environment("http://127.0.0.1:9"):
        monkeypatch.setenv(name, "replaced by the bench")  # and restored after it
    write_sample(tmp_path / "rows.csv", 500)
    findings = {each.what: each for each in lake_findings(tmp_path / "rows.csv", rows=1_000, months=(2_000,))}
    assert findings["lake, versions written by a re-send"].met
    assert findings["lake, CPU us a row, in order"].note == "1,000 rows"
    assert sum("question" in what for what in findings) == 6
    assert sum("new rows in a month of 2,000 lines, " in what for what in findings) == 2  # beside, and written again


@pytest.mark.slow
@pytest.mark.parametrize("question", named_questions())
def test_sql_over_the_archive_agrees_with_pandas(question: str, tmp_path: Path) -> None:
    """Over an archive to which the file was sent twice; pandas counts in floats."""
    write_sample(tmp_path / "sample.csv", 2_000)
    csv, archive = grow(tmp_path / "sample.csv", 2_000, tmp_path / "rows.csv"), tmp_path / "raw"
    archive.mkdir()
    for rows in (500, 700):
        for batch in posted_batches(csv, rows):
            (archive / f"{rows}-{batch.key}.ndjson.gz").write_bytes(batch.body)
    in_sql = archive_view(archive).execute(named_questions()[question][1]).df()
    in_pandas = IN_PANDAS[question](read_rows(csv)).reset_index()
    assert len(in_sql) == len(in_pandas) > 0
    numbers = [name for name in in_pandas.columns if name in {"Revenue", "Amount", "Lines", "Customers", "Repeated"}]
    sign = -1 if question == "returns" else 1
    assert numbers
    for name in numbers:
        assert (in_sql[name].astype(float) * sign).tolist() == pytest.approx(in_pandas[name].astype(float).tolist())


def test_a_refresh_costs_its_calls_and_its_time() -> None:
    """21 SQS calls and 100 messages, 103 GETs, 5 PUTs, and Lambda's time for computing, waiting and a start."""
    prices = read_prices()
    use = LakeUse(rows=500_000, objects=100, seconds=5.0, calls={"s3:GetObject": 103, "s3:PutObject": 5})
    seconds = 4 + 5 * 2 + 108 * 0.030 + 21 * 0.010 + 1
    expected = 121 * 0.40e-6 + 103 * 0.0004e-3 + 5 * 0.005e-3 + 0.20e-6 + seconds * 1769 / 1024 * 0.0000133334
    assert dollars(lake_cost(use, prices)) == pytest.approx(expected)


def test_an_idle_lake_costs_its_scheduled_runs() -> None:
    """730 refreshes and 30 vacuums, each with a start and a second; two metrics."""
    prices = read_prices()
    gb_seconds = 5 * (730 * 1769 + 30 * 512) / 1024
    expected = gb_seconds * 0.0000133334 + 760 * 0.20e-6 + 730 * (0.40e-6 + 0.0004e-3) + 0.60
    assert dollars(idle_lake_cost(prices)) == pytest.approx(expected)


def read_rows(csv: Path) -> pd.DataFrame:
    """As one reads the file for such questions: money in floats."""
    texts = dict.fromkeys(("InvoiceNo", "StockCode", "Description", "CustomerID", "Country"), "str")
    rows = pd.read_csv(csv, dtype=texts, parse_dates=["InvoiceDate"], date_format="%m/%d/%Y %H:%M")
    return rows.assign(Amount=rows["Quantity"] * rows["UnitPrice"], month=rows["InvoiceDate"].dt.strftime("%Y-%m"))


def revenue_by_day(rows: pd.DataFrame) -> pd.DataFrame:
    groups = rows.groupby([rows["InvoiceDate"].dt.normalize(), "Country"])
    return groups.agg(Lines=("Amount", "size"), Revenue=("Amount", "sum"))


def top_customers(rows: pd.DataFrame) -> pd.DataFrame:
    found = rows.groupby("CustomerID").agg(Invoices=("InvoiceNo", "nunique"), Revenue=("Amount", "sum"))
    return found.sort_values(["Revenue", "CustomerID"], ascending=[False, True]).head(20)


def returns(rows: pd.DataFrame) -> pd.DataFrame:
    groups = rows[rows["Quantity"] < 0].groupby("StockCode")
    found = groups.agg(Description=("Description", "max"), Returned=("Quantity", "sum"), Amount=("Amount", "sum"))
    return found.sort_values(["Returned", "StockCode"]).head(20)


def baskets(rows: pd.DataFrame) -> pd.DataFrame:
    invoices = rows[rows["Quantity"] > 0].groupby(["month", "InvoiceNo"])
    sums = invoices.agg(Lines=("Amount", "size"), Pieces=("Quantity", "sum"), Revenue=("Amount", "sum"))
    return sums.groupby("month").mean()


def repeat_customers(rows: pd.DataFrame) -> pd.DataFrame:
    active = rows.dropna(subset=["CustomerID"])[["CustomerID", "month"]].drop_duplicates()
    active["Repeated"] = active.groupby("CustomerID")["month"].transform("min") < active["month"]
    return active.groupby("month").agg(Customers=("CustomerID", "size"), Repeated=("Repeated", "sum"))


def invoice(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["InvoiceNo"].eq(rows["InvoiceNo"].min())].sort_values("StockCode")


IN_PANDAS: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "revenue-by-day": revenue_by_day,
    "top-customers": top_customers,
    "returns": returns,
    "baskets": baskets,
    "repeat-customers": repeat_customers,
    "invoice": invoice,
}
