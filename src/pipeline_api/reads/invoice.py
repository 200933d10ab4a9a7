"""An invoice: one Query, and one page of its lines."""

from collections.abc import Iterable
from itertools import islice

from invoices.errors import Malformed
from invoices.invoice import Invoice, invoice_of, totals_of
from invoices.items import slice_from_item
from invoices.line import Line
from invoices.money import money_text, times
from pipeline_api.reads.answers import MOST_VALUES, InvoiceAnswer, LineAnswer
from pipeline_api.reads.page_token import page_token, position_in
from pipeline_api.reads.parameters import LinesPage
from pipeline_api.reads.tables import Tables
from pipeline_api.refusals import NotFound

MAX_PAGE_BYTES = 5_000_000
"""An answer's lines, estimated from above: Lambda answers with 6 MB at most (AWS: Lambda quotas)."""

_LINE_BYTES = 280
_MOST_ESCAPED = 4  # a quote is escaped once in our JSON and once more in Lambda's


def read_invoice(tables: Tables, invoice_no: str, page: LinesPage) -> InvoiceAnswer:
    """Raises NotFound, Malformed for a foreign token, Throttled or Unavailable."""
    query = f"invoices/{invoice_no}"
    after = None if page.next_token is None else position_in(page.next_token, query)
    invoice = invoice_of(invoice_no, map(slice_from_item, tables.slice_items(invoice_no)))
    if not invoice.lines:
        raise NotFound("no such invoice")
    shown, more = _page_of(invoice, after, page.limit)
    return _answer(invoice, shown.values(), page_token(query, next(reversed(shown))) if more else None)


def _page_of(invoice: Invoice, after: str | None, limit: int) -> tuple[dict[str, Line], bool]:
    """The lines behind the one with line id `after`. Lines are never taken away, so it is still there."""
    names = list(invoice.lines)
    start = 0 if after is None else _place_of(after, names) + 1
    shown: dict[str, Line] = {}
    room = MAX_PAGE_BYTES
    for name in islice(names, start, start + limit):
        room -= _estimated_bytes(invoice.lines[name])
        if room < 0:
            break
        shown[name] = invoice.lines[name]
    return shown, start + len(shown) < len(names)


def _place_of(name: str, names: list[str]) -> int:
    try:
        return names.index(name)
    except ValueError:
        raise Malformed("next_token is not one that this query answered") from None


def _estimated_bytes(line: Line) -> int:
    texts = (line.Description or "", line.StockCode, line.Country)
    return _LINE_BYTES + _MOST_ESCAPED * sum(len(text.encode()) for text in texts)


def _answer(invoice: Invoice, shown: Iterable[Line], next_token: str | None) -> InvoiceAnswer:
    lines = invoice.lines.values()
    totals = totals_of(lines)
    return InvoiceAnswer(
        InvoiceNo=invoice.invoice_no,
        dates=_listed({line.InvoiceDate for line in lines}),
        customers=_listed({line.CustomerID for line in lines if line.CustomerID}),
        countries=_listed({line.Country for line in lines}),
        line_count=totals.lines,
        quantity=totals.quantity,
        total=money_text(totals.amount),
        lines=[_line_answer(line) for line in shown],
        next_token=next_token,
    )


def _listed(values: set[str]) -> list[str]:
    return sorted(values)[:MOST_VALUES]


def _line_answer(line: Line) -> LineAnswer:
    return LineAnswer.model_construct(
        StockCode=line.StockCode,
        Description=line.Description,
        Quantity=line.Quantity,
        InvoiceDate=line.InvoiceDate,
        UnitPrice=money_text(line.UnitPrice),
        CustomerID=line.CustomerID,
        Country=line.Country,
        Occurrence=line.Occurrence,
        amount=money_text(times(line.Quantity, line.UnitPrice)),
    )
