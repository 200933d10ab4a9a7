"""A client of the standard library and httpx: `csv`, `strptime`, `json.dumps`."""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx

_JSON = {"Content-Type": "application/json"}


def send(file: Path, client: httpx.Client, batch_rows: int) -> int:
    """Post every row of a UTF-8 file in batches of JSON; answers with how many there were."""
    sent = 0
    for batch in _batches(file, batch_rows):
        client.post("/ingest", content=json.dumps(batch), headers=_JSON).raise_for_status()
        sent += len(batch)
    return sent


def _batches(file: Path, batch_rows: int) -> Iterator[list[dict[str, object]]]:
    batch: list[dict[str, object]] = []
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            batch.append(_row(row))
            if len(batch) == batch_rows:
                yield batch
                batch = []
    if batch:
        yield batch


def _row(row: dict[str, str]) -> dict[str, object]:
    return {
        "InvoiceNo": row["InvoiceNo"],
        "StockCode": row["StockCode"],
        "Description": row["Description"] or None,
        "Quantity": int(row["Quantity"]),
        "InvoiceDate": datetime.strptime(row["InvoiceDate"], "%m/%d/%Y %H:%M").isoformat(),  # noqa: DTZ007 - no zone
        "UnitPrice": float(row["UnitPrice"]),
        "CustomerID": row["CustomerID"] or None,
        "Country": row["Country"],
    }
