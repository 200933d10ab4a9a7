"""The answers to the queries: an invoice, a customer, a page of a customer's invoices, receipts, and sums.

An invoice is the union of its slices. Its totals are computed from its lines each time and stored nowhere.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from itertools import groupby, islice
from typing import Any

from aws.items import POINTER_SEPARATOR, slice_from_item, slice_key
from aws.receipts import Receipt, ReceiptTable
from aws.totals import DayTotals, TotalsStore
from invoices.invoice import Invoice, Slice, invoice_of, sort_key, totals_of
from invoices.line import Line
from invoices.money import exact_product, exact_sum, money_text
from pipeline_api.problems import NotFound, ReceiptNotFound
from pipeline_api.queries.models import (
    MOST_VALUES,
    MOST_WITHDRAWN,
    BatchesPage,
    BatchesResponse,
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
from pipeline_api.queries.tables import FIRST, MAX_KEYS, Tables

MAX_PAGE_BYTES = 5_000_000
"""The lines of a response, estimated from above: Lambda responds with at most 6 MB (AWS: Lambda quotas)."""

_LINE_BYTES = 280
_ESCAPED_BYTES = 4  # a quote is escaped in our JSON, and again in Lambda's
_AFTER_POINTERS = "$"  # sorts after an invoice's pointers, which go on with `#`, and before longer invoice numbers


def read_invoice(tables: Tables, invoice_no: str, page: LinesPage) -> InvoiceResponse:
    """Raises NotFound, Malformed for a foreign token, Throttled or Unavailable."""
    query = f"invoices/{invoice_no}"
    after = None if page.next_token is None else parse_page_token(page.next_token, query)
    invoice = invoice_of(invoice_no, map(slice_from_item, tables.slice_items(invoice_no)))
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
    place = sort_key(invoice.withdrawn[after])
    return sum(sort_key(line) < place for line in invoice.lines.values())


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


def read_customer(tables: Tables, customer_id: str) -> CustomerResponse:
    """Reads every slice of the customer. Raises NotFound, Throttled or Unavailable."""
    pages = tables.pointer_pages(customer_id, FIRST)
    pointers = (item["Slice"]["S"] for page in pages for item in page["Items"])
    sums = _Sums()
    for invoice in _own_invoices(tables, customer_id, pointers):
        sums.add(invoice)
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
    """One Query and one BatchGetItem, or more of them if slices overlap.

    Raises NotFound, Malformed for a foreign token, Throttled or Unavailable.
    """
    query = f"customers/{customer_id}/invoices"
    after = FIRST if page.next_token is None else parse_page_token(page.next_token, query) + _AFTER_POINTERS
    groups, more = _pointers_by_invoice(tables, customer_id, after, page.limit)
    chosen = dict(islice(groups.items(), page.limit))
    pointers = (pointer for group in chosen.values() for pointer in group)
    invoices = list(_own_invoices(tables, customer_id, pointers))
    held = [_customer_invoice(invoice) for invoice in invoices if invoice.lines]
    has_more = more or len(chosen) < len(groups)
    if not held and not has_more and page.next_token is None:
        raise _no_customer(has_withdrawn=any(invoice.withdrawn for invoice in invoices))
    return CustomerInvoicesResponse(
        CustomerID=customer_id,
        invoices=held,
        next_token=page_token(query, next(reversed(chosen))) if has_more else None,
    )


def _no_customer(*, has_withdrawn: bool) -> NotFound:
    return NotFound("every line of this customer was taken back" if has_withdrawn else "no such customer")


def _pointers_by_invoice(tables: Tables, customer_id: str, after: str, limit: int) -> tuple[dict[str, list[str]], bool]:
    """All pointers of at least `limit` invoices, if there are as many, and whether there are more invoices.

    Invoices are counted, not pointers: the number of an invoice's slices must not show in a response. The last invoice
    of a page of the Query may go on in the next page, so it is left to the next request.
    """
    pointers: list[str] = []
    groups: dict[str, list[str]] = {}
    for page in tables.pointer_pages(customer_id, after, size=max(limit + 1, MAX_KEYS)):
        pointers += [item["Slice"]["S"] for item in page["Items"]]
        groups = {number: list(group) for number, group in groupby(pointers, lambda each: _invoice_and_slice(each)[0])}
        if "LastEvaluatedKey" in page and len(groups) > limit:
            groups.popitem()
            return groups, True
    return groups, False


def _customer_invoice(invoice: Invoice) -> CustomerInvoice:
    lines = invoice.lines.values()
    totals = totals_of(lines)
    return CustomerInvoice(
        InvoiceNo=invoice.invoice_no,
        dates=sorted({line.InvoiceDate for line in lines}),
        line_count=totals.lines,
        quantity=totals.quantity,
        total=money_text(totals.amount),
    )


def _own_invoices(tables: Tables, customer_id: str, pointers: Iterable[str]) -> Iterator[Invoice]:
    """The customer's own lines of each invoice, also if all of them were taken back.

    `pointers` are sorted, so one invoice at a time is in memory.
    """
    slices = (each for chunk in _chunks(pointers) for each in _slices_at(tables, chunk))
    for invoice_no, group in groupby(slices, lambda each: each.invoice_no):
        invoice = invoice_of(invoice_no, group)
        held, withdrawn = (
            {line_id: line for line_id, line in lines.items() if line.CustomerID == customer_id}
            for lines in (invoice.lines, invoice.withdrawn)
        )
        yield Invoice(invoice_no, held, withdrawn)


def _chunks(pointers: Iterable[str]) -> Iterator[list[str]]:
    """At most MAX_KEYS pointers each."""
    remaining = iter(pointers)
    while chunk := list(islice(remaining, MAX_KEYS)):
        yield chunk


def _slices_at(tables: Tables, pointers: Sequence[str]) -> list[Slice]:
    """In the order of the pointers. A pointer may be stored a moment before its slice; such a slice is left out."""
    found = map(slice_from_item, tables.items_at([slice_key(pointer) for pointer in pointers]))
    slices = {(each.invoice_no, each.slice_id): each for each in found}
    return [slices[key] for key in map(_invoice_and_slice, pointers) if key in slices]


def _invoice_and_slice(pointer: str) -> tuple[str, str]:
    """The invoice number and the slice id that a pointer holds."""
    invoice_no, _, slice_id = pointer.partition(POINTER_SEPARATOR)
    return invoice_no, slice_id


def read_receipt(table: ReceiptTable, batch_id: str) -> ReceiptResponse:
    """Raises ReceiptNotFound, Throttled or Unavailable."""
    if not (receipts := table.of_batch(batch_id)):
        raise receipt_not_found()
    return receipt_response(receipts)


def receipt_not_found() -> ReceiptNotFound:
    return ReceiptNotFound("there is no receipt of this batch yet; it comes when all of its rows are queryable")


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
