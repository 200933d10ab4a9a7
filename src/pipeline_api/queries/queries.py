"""An invoice: one Query, and one page of its lines."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby, islice

from aws.items import POINTER_SEPARATOR, slice_from_item, slice_key
from invoices.errors import Malformed
from invoices.invoice import Invoice, Slice, invoice_of, totals_of
from invoices.line import Line
from invoices.money import exact_product, exact_sum, money_text
from pipeline_api.errors import NotFound
from pipeline_api.queries.models import (
    MOST_VALUES,
    CustomerAnswer,
    CustomerInvoice,
    CustomerInvoicesAnswer,
    InvoiceAnswer,
    InvoicesPage,
    LineAnswer,
    LinesPage,
    page_token,
    position_in,
)
from pipeline_api.queries.tables import FIRST, MAX_KEYS, Tables

# A customer's own lines, invoice by invoice, from the slices that the customer's pointers name.


def invoice_no_of(pointer: str) -> str:
    return pointer.partition(POINTER_SEPARATOR)[0]


def customer_invoices(tables: Tables, customer_id: str, pointers: Iterable[str]) -> Iterator[Invoice]:
    """The customer's part of each invoice. `pointers` come in order; one invoice at a time is held in memory."""
    slices = (invoice_slice for chunk in _chunks(pointers) for invoice_slice in _slices_at(tables, chunk))
    for invoice_no, group in groupby(slices, lambda invoice_slice: invoice_slice.invoice_no):
        lines = invoice_of(invoice_no, group).lines
        own = {name: line for name, line in lines.items() if line.CustomerID == customer_id}
        if own:
            yield Invoice(invoice_no, own)


def _slices_at(tables: Tables, pointers: Sequence[str]) -> list[Slice]:
    """In the pointers' order. A pointer may be stored a moment before its slice: then there is none yet."""
    found = map(slice_from_item, tables.items_at([slice_key(pointer) for pointer in pointers]))
    by_name = {(invoice_slice.invoice_no, invoice_slice.slice_id): invoice_slice for invoice_slice in found}
    places = (tuple(pointer.split(POINTER_SEPARATOR)) for pointer in pointers)
    return [by_name[place] for place in places if place in by_name]


def _chunks(pointers: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for pointer in pointers:
        chunk.append(pointer)
        if len(chunk) == MAX_KEYS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


# A customer's totals over all invoices.


def read_customer(tables: Tables, customer_id: str) -> CustomerAnswer:
    """Reads every slice of the customer. Raises NotFound, Throttled or Unavailable."""
    sums = _Sums()
    for invoice in customer_invoices(tables, customer_id, _all_pointers(tables, customer_id)):
        sums.add(invoice)
    if not sums.invoices:
        raise NotFound("no such customer")
    return sums.answer(customer_id)


def _all_pointers(tables: Tables, customer_id: str) -> Iterator[str]:
    for page in tables.pointer_pages(customer_id, FIRST):
        yield from (item["Slice"]["S"] for item in page["Items"])


@dataclass(slots=True)
class _Sums:
    """What the invoices seen so far add up to; their lines are not kept."""

    invoices: int = 0
    lines: int = 0
    quantity: int = 0
    amount: Decimal = Decimal(0)
    countries: set[str] = field(default_factory=set)
    dates: set[str] = field(default_factory=set)

    def add(self, invoice: Invoice) -> None:
        lines = invoice.lines.values()
        totals = totals_of(lines)
        self.invoices += 1
        self.lines += totals.lines
        self.quantity += totals.quantity
        self.amount = exact_sum(self.amount, totals.amount)
        self.countries |= {line.Country for line in lines}
        self.dates |= {line.InvoiceDate for line in lines}

    def answer(self, customer_id: str) -> CustomerAnswer:
        return CustomerAnswer(
            CustomerID=customer_id,
            countries=sorted(self.countries),
            first_date=min(self.dates),
            last_date=max(self.dates),
            invoice_count=self.invoices,
            line_count=self.lines,
            quantity=self.quantity,
            total=money_text(self.amount),
        )


# A page of a customer's invoices: one Query and one BatchGetItem, or more of them where slices overlap.

_BEHIND = "$"  # sorts behind an invoice's pointers, which go on with `#`, and before every longer invoice number


def read_customer_invoices(tables: Tables, customer_id: str, page: InvoicesPage) -> CustomerInvoicesAnswer:
    """Raises NotFound, Malformed for a foreign token, Throttled or Unavailable."""
    query = f"customers/{customer_id}/invoices"
    after = FIRST if page.next_token is None else position_in(page.next_token, query) + _BEHIND
    whole, more = _whole_invoices(tables, customer_id, after, page.limit)
    chosen = dict(list(whole.items())[: page.limit])
    if not chosen and page.next_token is None:
        raise NotFound("no such customer")
    invoices = customer_invoices(tables, customer_id, (pointer for group in chosen.values() for pointer in group))
    return CustomerInvoicesAnswer(
        CustomerID=customer_id,
        invoices=[_summary(invoice) for invoice in invoices],
        next_token=page_token(query, next(reversed(chosen))) if more or len(chosen) < len(whole) else None,
    )


def _whole_invoices(tables: Tables, customer_id: str, after: str, limit: int) -> tuple[dict[str, list[str]], bool]:
    """At least `limit` invoices where there are as many, each with all of its pointers, and whether there are more.

    How many slices an invoice has must not show in an answer, so it is invoices that are counted. The last one of a
    Query's page may go on behind it: it is left to the next page.
    """
    pointers: list[str] = []
    groups: dict[str, list[str]] = {}
    for page in tables.pointer_pages(customer_id, after, size=max(limit + 1, MAX_KEYS)):
        pointers += [item["Slice"]["S"] for item in page["Items"]]
        groups = {invoice_no: list(group) for invoice_no, group in groupby(pointers, invoice_no_of)}
        if "LastEvaluatedKey" in page and len(groups) > limit:
            groups.popitem()
            return groups, True
    return groups, False


def _summary(invoice: Invoice) -> CustomerInvoice:
    lines = invoice.lines.values()
    totals = totals_of(lines)
    return CustomerInvoice(
        InvoiceNo=invoice.invoice_no,
        dates=sorted({line.InvoiceDate for line in lines}),
        line_count=totals.lines,
        quantity=totals.quantity,
        total=money_text(totals.amount),
    )


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
        amount=money_text(exact_product(line.Quantity, line.UnitPrice)),
    )
