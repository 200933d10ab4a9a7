"""The lake's named questions, beside the same SQL over the raw archive."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import duckdb

from bench.findings import Finding, at_most
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


def question_findings(lake: duckdb.DuckDBPyConnection, archive: Path) -> Iterator[Finding]:
    """`archive` is a folder with raw objects of the lake's rows, each row once."""
    raw = archive_view(archive)
    for name, (_, sql) in named_questions().items():
        measured = median(_milliseconds(lake, sql) for _ in range(_TURNS))
        note = f"SQL over the archive, asked once: {_milliseconds(raw, sql):,.0f}; wall clock, the lake warm"
        yield at_most(f"lake, question {name}, ms", measured, _MOST_MILLISECONDS, note=note)


def archive_view(folder: Path) -> duckdb.DuckDBPyConnection:
    """The view `lines` over gzip NDJSON, as somebody without the lake would write it."""
    raw = duckdb.connect()
    raw.execute("SET enable_progress_bar = false")
    raw.execute(_ARCHIVE_VIEW.format(files=folder / "*.ndjson.gz"))
    return raw


def _milliseconds(lines: duckdb.DuckDBPyConnection, sql: str) -> float:
    started = time.perf_counter()
    lines.execute(sql).fetchall()
    return (time.perf_counter() - started) * 1000
