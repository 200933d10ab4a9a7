"""A large invoice is returned in pages."""

import json

import pytest

from invoices.limits import MAX_SLICE_LINES
from pipeline_api.queries.models import LinesPage
from pipeline_api.queries.queries import read_invoice
from tests.invoice_rows import row
from tests.pipeline_api.fake_dynamodb import FakeDynamoDB

pytestmark = pytest.mark.slow


def test_an_invoice_of_10000_lines_has_two_pages() -> None:
    """A page has 5,000 lines unless the caller wants fewer. The totals are those of all lines."""
    fake = FakeDynamoDB([row(Occurrence=n + 1) for n in range(10_000)])
    assert len(fake.items) >= 10_000 // MAX_SLICE_LINES
    first = read_invoice(fake.tables([]), "536365", LinesPage())
    second = read_invoice(fake.tables([]), "536365", LinesPage(next_token=first.next_token))
    assert [len(first.lines), len(second.lines), second.next_token] == [5_000, 5_000, None]
    assert (first.line_count, first.quantity, first.total) == (10_000, 60_000, "153000.00")


def test_a_page_fits_into_a_response_of_lambda() -> None:
    """Long descriptions end a page before its limit. Lambda escapes each quote once more."""
    fake = FakeDynamoDB([row(Occurrence=n + 1, Description='"' * 500) for n in range(5_000)])
    answer = read_invoice(fake.tables([]), "536365", LinesPage())
    assert 2_000 < len(answer.lines) < 5_000
    assert answer.next_token is not None
    assert len(json.dumps({"body": answer.model_dump_json()})) < 6_000_000
