"""Rows without a file."""

from collections.abc import Sequence

import numpy as np

from client.columns import Column, distinct
from client.reader import ParsedBlock, Rows, RowSpan
from client.records import Records


def made_rows(invoices: Sequence[str], texts: Sequence[bytes] | None = None, lines: Sequence[int] = ()) -> Rows:
    """A row for each invoice, on the lines from 2 unless others are given; `texts` are what is sent."""
    count = len(invoices)
    if not count:
        return Rows()
    texts = texts or [b'{"InvoiceNo":"%s"}' % invoice.encode() for invoice in invoices]
    places = np.zeros(count, np.int64)
    records = Records(b"", places, places, np.array(lines or range(2, count + 2)))
    column = distinct(Column(np.arange(count), list(invoices)))
    return Rows((RowSpan(ParsedBlock(records, [b"\n" + text for text in texts], column, 0.0, 1.0), 0, count),))
