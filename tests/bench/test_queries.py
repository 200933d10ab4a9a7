"""How many calls to AWS a query makes."""

import sys
from pathlib import Path

import pytest

from bench.functions import api_handler
from bench.queries import calls_of, connected_wire, query_findings
from bench.rows import PostedBatch
from local_runtime.sample import write_sample

pytestmark = pytest.mark.slow


def test_an_invoice_is_one_call_and_a_customers_page_two(batches: list[PostedBatch]) -> None:
    """One Query; one Query for pointers and one BatchGetItem."""
    wire = connected_wire(batches)
    row = next(row for row in batches[0].objects() if row["CustomerID"])
    api = api_handler()
    paths = [f"/invoices/{row['InvoiceNo']}", f"/customers/{row['CustomerID']}/invoices"]
    assert [calls_of(api, wire, path) for path in paths] == [1, 2]


def test_standard_output_is_restored(tmp_path: Path, environment: None) -> None:
    """Queries under load redirect it in several threads."""
    write_sample(tmp_path / "rows.csv", 500)
    before = sys.stdout
    query_findings(tmp_path / "rows.csv")
    assert sys.stdout is before
