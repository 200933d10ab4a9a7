"""The lake's named questions, beside the same SQL over the raw archive and beside pandas from the CSV."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median

import duckdb
import pandas as pd

from bench.findings import Finding
from pipeline_ops.query import named_questions

_MOST_MILLISECONDS = 100
_TURNS = 7

# The archive holds every re-send, so equal rows must become one: those of the client have Occurrence, and rows without
# it would have to be told apart by their batch. DuckDB's columns of the folders `dt=` and `hour=` would keep re-sends.
_ARCHIVE_VIEW = """
    CREATE VIEW lines AS SELECT DISTINCT
        InvoiceNo, StockCode, Description, Quantity, rtrim(InvoiceDate, 'Z')::TIMESTAMP AS InvoiceDate,
        UnitPrice::DECIMAL(15,6) AS UnitPrice, (Quantity * UnitPrice::DECIMAL(24,6))::DECIMAL(24,6) AS Amount,
        CustomerID, Country, Occurrence, left(InvoiceDate, 7) AS month
    FROM read_json('{files}', format = 'newline_delimited', hive_partitioning = false, columns = {{
        InvoiceNo: 'VARCHAR', StockCode: 'VARCHAR', Description: 'VARCHAR', Quantity: 'INTEGER', InvoiceDate: 'VARCHAR',
        UnitPrice: 'VARCHAR', CustomerID: 'VARCHAR', Country: 'VARCHAR', Occurrence: 'INTEGER'
    }})
"""


def question_findings(lake: duckdb.DuckDBPyConnection, archive: Path, csv: Path) -> Iterator[Finding]:
    """`archive` is a folder with the raw objects of `csv`, each row once. The baselines run once, the lake is warm."""
    raw = archive_view(archive)
    for name, (_, sql) in named_questions().items():
        measured = median(_milliseconds(_ask, lake, sql) for _ in range(_TURNS))
        in_sql, in_pandas = _milliseconds(_ask, raw, sql), _milliseconds(_ask_pandas, name, csv)
        note = f"SQL over the archive {in_sql:,.0f}, pandas from the CSV {in_pandas:,.0f}; wall clock, the lake warm"
        what = f"lake, question {name}, ms"
        yield Finding(what, f"<= {_MOST_MILLISECONDS}", f"{measured:.1f}", measured <= _MOST_MILLISECONDS, note)


def archive_view(folder: Path) -> duckdb.DuckDBPyConnection:
    """The view `lines` over gzip NDJSON, as somebody without the lake would write it."""
    raw = duckdb.connect()
    raw.execute("SET enable_progress_bar = false")
    raw.execute(_ARCHIVE_VIEW.format(files=folder / "*.ndjson.gz"))
    return raw


def read_rows(csv: Path) -> pd.DataFrame:
    """As one reads the file for such questions: money in floats."""
    texts = dict.fromkeys(("InvoiceNo", "StockCode", "Description", "CustomerID", "Country"), "str")
    rows = pd.read_csv(csv, dtype=texts, parse_dates=["InvoiceDate"], date_format="%m/%d/%Y %H:%M")
    return rows.assign(Amount=rows["Quantity"] * rows["UnitPrice"], month=rows["InvoiceDate"].dt.strftime("%Y-%m"))


def _milliseconds(ask: Callable[..., object], *arguments: object) -> float:
    started = time.perf_counter()
    ask(*arguments)
    return (time.perf_counter() - started) * 1000


def _ask(lines: duckdb.DuckDBPyConnection, sql: str) -> object:
    return lines.execute(sql).fetchall()


def _ask_pandas(name: str, csv: Path) -> object:
    return PANDAS[name](read_rows(csv))


def _revenue_by_day(rows: pd.DataFrame) -> pd.DataFrame:
    groups = rows.groupby([rows["InvoiceDate"].dt.normalize(), "Country"])
    return groups.agg(Lines=("Amount", "size"), Revenue=("Amount", "sum"))


def _top_customers(rows: pd.DataFrame) -> pd.DataFrame:
    found = rows.groupby("CustomerID").agg(Invoices=("InvoiceNo", "nunique"), Revenue=("Amount", "sum"))
    return found.sort_values(["Revenue", "CustomerID"], ascending=[False, True]).head(20)


def _returns(rows: pd.DataFrame) -> pd.DataFrame:
    groups = rows[rows["Quantity"] < 0].groupby("StockCode")
    found = groups.agg(Description=("Description", "max"), Returned=("Quantity", "sum"), Amount=("Amount", "sum"))
    return found.sort_values(["Returned", "StockCode"]).head(20)


def _baskets(rows: pd.DataFrame) -> pd.DataFrame:
    invoices = rows[rows["Quantity"] > 0].groupby(["month", "InvoiceNo"])
    sums = invoices.agg(Lines=("Amount", "size"), Pieces=("Quantity", "sum"), Revenue=("Amount", "sum"))
    return sums.groupby("month").mean()


def _repeat_customers(rows: pd.DataFrame) -> pd.DataFrame:
    active = rows.dropna(subset=["CustomerID"])[["CustomerID", "month"]].drop_duplicates()
    active["Repeated"] = active.groupby("CustomerID")["month"].transform("min") < active["month"]
    return active.groupby("month").agg(Customers=("CustomerID", "size"), Repeated=("Repeated", "sum"))


def _invoice(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["InvoiceNo"].eq(rows["InvoiceNo"].min())].sort_values("StockCode")


PANDAS: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "revenue-by-day": _revenue_by_day,
    "top-customers": _top_customers,
    "returns": _returns,
    "baskets": _baskets,
    "repeat-customers": _repeat_customers,
    "invoice": _invoice,
}
