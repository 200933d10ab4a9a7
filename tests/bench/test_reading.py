"""How many calls to AWS a query makes."""

import sys

from bench import ours
from bench.clients import end_at
from bench.counts import Counts
from bench.events import Context, kinesis_event
from bench.reading import calls_of, read_findings
from bench.rows import Sent
from bench.stored import Stored
from bench.wire import Wire


def test_an_invoice_is_one_call_and_a_customers_page_two(batches: list[Sent]) -> None:
    """One Query; one Query for pointers and one BatchGetItem."""
    wire = Wire(Counts(), Stored())
    end_at(wire)
    ours.to_dynamodb()(kinesis_event([(batch.key, batch.body) for batch in batches]), Context())
    row = next(row for row in batches[0].objects() if row["CustomerID"])
    api = ours.api_handler()
    paths = [f"/invoices/{row['InvoiceNo']}", f"/customers/{row['CustomerID']}/invoices"]
    assert [calls_of(api, wire, path) for path in paths] == [1, 2]


def test_what_is_printed_afterwards_is_seen(batches: list[Sent]) -> None:
    """Queries under load leave standard output as it was."""
    row = next(row for row in batches[0].objects() if row["CustomerID"])
    before = sys.stdout
    read_findings(batches[:1], row["InvoiceNo"], row["CustomerID"])
    assert sys.stdout is before
