"""The answers to the queries: an invoice, a customer, a page of a customer's invoices, receipts, and sums.

An invoice is the union of its slices. Its totals are computed from its lines each time and stored nowhere.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from aws.items import slice_from_item
from aws.receipts import Receipt, ReceiptTable
from aws.rejections import RejectionStore, Summary
from aws.totals import DayTotals, TotalsStore
from invoices.errors import Retryable
from invoices.invoice import Invoice, invoice_of, sort_key, totals_of
from invoices.line import Line
from invoices.money import exact_product, exact_sum, money_text
from pipeline_api.problems import NotFound, ReceiptNotFound, TooManyBodies, TooManyLines
from pipeline_api.queries.models import (
    MOST_VALUES,
    MOST_WITHDRAWN,
    BatchesPage,
    BatchesResponse,
    BatchResponse,
    CustomerInvoice,
    CustomerInvoicesResponse,
    CustomerResponse,
    GroupTotals,
    InvoiceResponse,
    InvoicesPage,
    LineResponse,
    LinesPage,
    ReceiptResponse,
    TotalsQuery,
    TotalsResponse,
    WithdrawnLine,
    foreign_token,
    page_token,
    parse_page_token,
)
from pipeline_api.queries.tables import (
    FIRST,
    MOST_LINES,
    MOST_SLICES,
    StoredInvoice,
    Tables,
    by_invoice,
    pointers_by_invoice,
    read_invoices,
    up_to_most_lines,
)

MAX_PAGE_BYTES = 5_000_000
"""The lines of a response, estimated from above: Lambda responds with at most 6 MB (AWS: Lambda quotas)."""

MOST_BODIES = 10_000
"""The receipts that are added up for one batch: some three pages of a Query."""

_LINE_BYTES = 280
_ESCAPED_BYTES = 4  # a quote is escaped in our JSON, and again in Lambda's
_AFTER_POINTERS = "$"  # sorts after an invoice's pointers, which go on with `#`, and before longer invoice numbers


def read_invoice(tables: Tables, invoice_no: str, page: LinesPage) -> InvoiceResponse:
    """Raises NotFound, TooManyLines, Malformed for a foreign token, Throttled or Unavailable."""
    query = f"invoices/{invoice_no}"
    after = None if page.next_token is None else parse_page_token(page.next_token, query)
    if (items := tables.slice_items(invoice_no)) is None:
        raise too_many_lines("invoice")
    invoice = invoice_of(invoice_no, map(slice_from_item, items))
    if not invoice.lines:
        raise NotFound("every line of this invoice was taken back" if invoice.withdrawn else "no such invoice")
    shown, more = _page_of_lines(invoice, after, page.limit)
    lines = invoice.lines.values()
    totals = totals_of(lines)
    return InvoiceResponse(
        InvoiceNo=invoice_no,
        dates=sorted({line.InvoiceDate for line in lines})[:MOST_VALUES],
        customers=sorted({line.CustomerID for line in lines if line.CustomerID})[:MOST_VALUES],
        countries=sorted({line.Country for line in lines})[:MOST_VALUES],
        line_count=totals.lines,
        quantity=totals.quantity,
        total=money_text(totals.amount),
        lines=[_line_response(line) for line in shown.values()],
        next_token=page_token(query, next(reversed(shown))) if more else None,
        withdrawn_count=len(invoice.withdrawn),
        withdrawn=[_withdrawn_line(line) for line in islice(invoice.withdrawn.values(), MOST_WITHDRAWN)],
    )


def _page_of_lines(invoice: Invoice, after: str | None, limit: int) -> tuple[dict[str, Line], bool]:
    """The lines after the line id `after`, and whether more follow.

    `after` may have been taken back since the page before. Raises Malformed if there never was such a line.
    """
    line_ids = list(invoice.lines)
    start = 0 if after is None else _place_behind(invoice, after)
    shown: dict[str, Line] = {}
    room = MAX_PAGE_BYTES
    for line_id in islice(line_ids, start, start + limit):
        room -= _estimated_bytes(invoice.lines[line_id])
        if room < 0:
            break
        shown[line_id] = invoice.lines[line_id]
    return shown, start + len(shown) < len(line_ids)


def _place_behind(invoice: Invoice, after: str) -> int:
    """How many of the lines that hold are `after` or before it."""
    if after in invoice.lines:
        return list(invoice.lines).index(after) + 1
    if after not in invoice.withdrawn:
        raise foreign_token()
    place = sort_key(invoice.withdrawn[after]), after
    return sum((sort_key(line), line_id) < place for line_id, line in invoice.lines.items())


def _estimated_bytes(line: Line) -> int:
    texts = (line.Description or "", line.StockCode, line.Country)
    return _LINE_BYTES + _ESCAPED_BYTES * sum(len(text.encode()) for text in texts)


def _line_response(line: Line) -> LineResponse:
    """Not validated, because the line was: validation would take most of the time of a large invoice."""
    return LineResponse.model_construct(
        StockCode=line.StockCode,
        Description=line.Description,
        Quantity=line.Quantity,
        InvoiceDate=line.InvoiceDate,
        UnitPrice=money_text(line.UnitPrice),
        CustomerID=line.CustomerID,
        Country=line.Country,
        Occurrence=line.Occurrence,
        amount=money_text(exact_product(line.Quantity, line.UnitPrice)),
    )


def _withdrawn_line(line: Line) -> WithdrawnLine:
    return WithdrawnLine.model_construct(**dict(_line_response(line)), AsOf=line.AsOf)


def too_many_lines(what: str) -> TooManyLines:
    """`what` is `invoice` or `customer`."""
    limit = f"the {what} has more than {MOST_LINES:,} stored lines or {MOST_SLICES:,} slices"
    pages = "GET /customers/{CustomerID}/invoices has its invoices in pages, and " if what == "customer" else ""
    return TooManyLines(f"{limit}; {pages}`invoice-stream ops query` and GET /totals answer from the lake")


def read_customer(tables: Tables, customer_id: str) -> CustomerResponse:
    """Reads every slice of the customer. Raises NotFound, TooManyLines, Throttled or Unavailable."""
    pages = tables.pointer_pages(customer_id, FIRST)
    pointers = list(islice((item["Slice"]["S"] for page in pages for item in page["Items"]), MOST_SLICES + 1))
    if len(pointers) > MOST_SLICES:
        raise too_many_lines("customer")
    sums, lines = _Sums(), 0
    for stored in read_invoices(tables, by_invoice(pointers)):
        lines += stored.lines
        if lines > MOST_LINES:
            raise too_many_lines("customer")
        sums.add(_own_lines(stored, customer_id))
    if not sums.invoices:
        raise _no_customer(has_withdrawn=sums.withdrawn > 0)
    return CustomerResponse(
        CustomerID=customer_id,
        countries=sorted(sums.countries),
        first_date=min(sums.dates),
        last_date=max(sums.dates),
        invoice_count=sums.invoices,
        line_count=sums.lines,
        quantity=sums.quantity,
        total=money_text(sums.amount),
    )


@dataclass(slots=True)
class _Sums:
    """The sums over the invoices added so far. Their lines are not kept."""

    invoices: int = 0
    withdrawn: int = 0
    lines: int = 0
    quantity: int = 0
    amount: Decimal = Decimal(0)
    countries: set[str] = field(default_factory=set)
    dates: set[str] = field(default_factory=set)

    def add(self, invoice: Invoice) -> None:
        lines = invoice.lines.values()
        totals = totals_of(lines)
        self.invoices += bool(lines)
        self.withdrawn += len(invoice.withdrawn)
        self.lines += totals.lines
        self.quantity += totals.quantity
        self.amount = exact_sum(self.amount, totals.amount)
        self.countries |= {line.Country for line in lines}
        self.dates |= {line.InvoiceDate for line in lines}


def read_customer_invoices(tables: Tables, customer_id: str, page: InvoicesPage) -> CustomerInvoicesResponse:
    """One Query and one BatchGetItem, or more of them if slices overlap. MOST_LINES may end a page before its limit.

    Raises NotFound, Malformed for a foreign token, Throttled or Unavailable.
    """
    query = f"customers/{customer_id}/invoices"
    after = FIRST if page.next_token is None else parse_page_token(page.next_token, query) + _AFTER_POINTERS
    groups, more = pointers_by_invoice(tables, customer_id, after, page.limit)
    read = list(up_to_most_lines(read_invoices(tables, dict(islice(groups.items(), page.limit)))))
    invoices = [(stored, _own_lines(stored, customer_id)) for stored in read]
    held = [_customer_invoice(stored, own) for stored, own in invoices if own.lines or stored.is_too_large]
    has_more = more or len(read) < len(groups)
    if not held and not has_more and page.next_token is None:
        raise _no_customer(has_withdrawn=any(own.withdrawn for _, own in invoices))
    return CustomerInvoicesResponse(
        CustomerID=customer_id,
        invoices=held,
        next_token=page_token(query, read[-1].invoice_no) if has_more else None,
    )


def _no_customer(*, has_withdrawn: bool) -> NotFound:
    return NotFound("every line of this customer was taken back" if has_withdrawn else "no such customer")


def _customer_invoice(stored: StoredInvoice, own: Invoice) -> CustomerInvoice:
    if stored.is_too_large:
        return CustomerInvoice(InvoiceNo=stored.invoice_no, dates=[], line_count=None, quantity=None, total=None)
    lines = own.lines.values()
    totals = totals_of(lines)
    return CustomerInvoice(
        InvoiceNo=own.invoice_no,
        dates=sorted({line.InvoiceDate for line in lines}),
        line_count=totals.lines,
        quantity=totals.quantity,
        total=money_text(totals.amount),
    )


def _own_lines(stored: StoredInvoice, customer_id: str) -> Invoice:
    """The customer's own lines, also if all of them were taken back."""
    invoice = invoice_of(stored.invoice_no, map(slice_from_item, stored.items))
    held, withdrawn = (
        {line_id: line for line_id, line in lines.items() if line.CustomerID == customer_id}
        for lines in (invoice.lines, invoice.withdrawn)
    )
    return Invoice(stored.invoice_no, held, withdrawn)


def read_batch_receipt(table: ReceiptTable, rejections: RejectionStore | None, batch_id: str) -> BatchResponse:
    """Raises ReceiptNotFound, TooManyBodies, Throttled or Unavailable."""
    receipts = table.of_batch(batch_id, MOST_BODIES + 1)
    if len(receipts) > MOST_BODIES:
        raise too_many_bodies()
    if not receipts:
        raise _no_receipt(rejections, batch_id)
    arrivals = [datetime.fromisoformat(receipt.arrived_at) for receipt in receipts]
    found = _rejections_of(rejections, batch_id, arrivals)
    rejected = None if found is None else sum(summary.rejected for summary in found)
    return BatchResponse(**dict(receipt_response(receipts)), rejected=rejected)


def _no_receipt(rejections: RejectionStore | None, batch_id: str) -> NotFound:
    """Looks for rejections at the time in the batch id, and in this hour and the one before."""
    now = rejections.now() if rejections else None
    found = _rejections_of(rejections, batch_id, [now, now - timedelta(hours=1)] if now else [])
    if found and not any(summary.accepted for summary in found):
        return receipt_not_found("an earlier request had no valid row, and GET /rejections shows why")
    return receipt_not_found()


def _rejections_of(
    rejections: RejectionStore | None, batch_id: str, moments: Sequence[datetime]
) -> Sequence[Summary] | None:
    """None where they are not kept, are too many, or cannot be read: the receipt is worth having without them."""
    try:
        return rejections.of_batch(batch_id, moments) if rejections else None
    except (Retryable, BotoCoreError, ClientError) as error:
        _logger.warning("Rejected rows are not counted: %s", error, extra={"batch_id": batch_id})
        return None


def too_many_bodies() -> TooManyBodies:
    return TooManyBodies(f"the batch id came with more than {MOST_BODIES:,} bodies")


def receipt_not_found(known: str = "") -> ReceiptNotFound:
    """`known` is what else is known of the batch."""
    text = "there is no receipt of this batch yet; it comes when all of its rows are queryable"
    return ReceiptNotFound(f"{text}; {known}" if known else text)


def receipt_response(receipts: Sequence[Receipt]) -> ReceiptResponse:
    """What all bodies of a batch add up to; there is at least one."""
    stored = sum(receipt.stored for receipt in receipts)
    set_aside = sum(receipt.set_aside for receipt in receipts)
    return ReceiptResponse(
        batch_id=receipts[0].batch_id,
        rows=stored + set_aside,
        stored=stored,
        set_aside=set_aside,
        arrived_at=min(receipt.arrived_at for receipt in receipts),
        queryable_at=max(receipt.queryable_at for receipt in receipts),
    )


def read_batches(table: ReceiptTable, page: BatchesPage) -> BatchesResponse:
    """Raises Malformed for a foreign token, Throttled or Unavailable."""
    query = "batches"
    before = None if page.next_token is None else parse_page_token(page.next_token, query)
    receipts = table.latest(page.limit + 1, before)
    shown = receipts[: page.limit]
    return BatchesResponse(
        batches=[receipt_response([receipt]) for receipt in shown],
        next_token=page_token(query, shown[-1].position) if len(receipts) > len(shown) else None,
    )


def read_totals(store: TotalsStore | None, query: TotalsQuery) -> TotalsResponse:
    """From the sums that the lake's refresh writes. Raises NotFound where there are none, Throttled or Unavailable."""
    current = store.current() if store else None
    if store is None or current is None:
        raise NotFound("nothing is in the lake yet")
    first, last = query.first_day or "", query.last_day or "9999-12-31"
    keys = [key for month, key in current.months.items() if first[:7] <= month <= last[:7]]
    days = [day for key in keys for day in store.month(key) if first <= day.day <= last]
    groups: dict[str, list[DayTotals]] = defaultdict(list)
    for day in days:
        groups[{"day": day.day, "month": day.day[:7], "country": day.country}[query.by]].append(day)
    return TotalsResponse(
        as_of=current.as_of,
        **_sums_of(days),
        groups=[GroupTotals(key=key, **_sums_of(group)) for key, group in sorted(groups.items())],
    )


def _sums_of(days: Sequence[DayTotals]) -> dict[str, Any]:
    return {
        "line_count": sum(day.lines for day in days),
        "quantity": sum(int(day.quantity) for day in days),
        "total": money_text(reduce(exact_sum, (Decimal(day.amount) for day in days), Decimal(0))),
    }


_logger = logging.getLogger(__name__)
