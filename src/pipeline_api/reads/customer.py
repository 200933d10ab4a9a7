"""A customer's totals over all invoices."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from invoices.invoice import Invoice, totals_of
from invoices.money import money_text, plus
from pipeline_api.reads.answers import CustomerAnswer
from pipeline_api.reads.customer_lines import customer_invoices
from pipeline_api.reads.tables import FIRST, Tables
from pipeline_api.refusals import NotFound


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
        self.amount = plus(self.amount, totals.amount)
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
