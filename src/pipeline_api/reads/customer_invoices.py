"""A page of a customer's invoices: one Query and one BatchGetItem, or more of them where slices overlap."""

from itertools import groupby

from invoices.invoice import Invoice, totals_of
from invoices.money import money_text
from pipeline_api.reads.answers import CustomerInvoice, CustomerInvoicesAnswer
from pipeline_api.reads.customer_lines import customer_invoices, invoice_no_of
from pipeline_api.reads.page_token import page_token, position_in
from pipeline_api.reads.parameters import InvoicesPage
from pipeline_api.reads.tables import FIRST, MAX_KEYS, Tables
from pipeline_api.refusals import NotFound

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
