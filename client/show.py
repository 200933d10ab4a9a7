"""Fetches an invoice or a customer, with all pages, and shows it, or a batch's receipt, as a table."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import TypeAlias, cast
from urllib.parse import quote

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from client.api import Api
from client.errors import UnexpectedResponse

Entry: TypeAlias = dict[str, object]

_INVOICES_PER_PAGE = 100
_NO_LIMIT = 100_000  # columns of a terminal

_Columns: TypeAlias = Sequence[tuple[str, str]]

_LINES: _Columns = (
    ("StockCode", "stock code"),
    ("Description", "description"),
    ("InvoiceDate", "date"),
    ("CustomerID", "customer"),
    ("Country", "country"),
    ("Quantity", "quantity"),
    ("UnitPrice", "price"),
    ("amount", "amount"),
)
_INVOICES: _Columns = (
    ("InvoiceNo", "invoice"),
    ("dates", "date"),
    ("line_count", "lines"),
    ("quantity", "quantity"),
    ("total", "total"),
)
_WITHDRAWN: _Columns = (
    ("StockCode", "stock code"),
    ("Description", "description"),
    ("Quantity", "quantity"),
    ("UnitPrice", "price"),
    ("amount", "amount"),
    ("AsOf", "taken back as of"),
)
_SAME_IN_MOST_LINES = frozenset({"InvoiceDate", "CustomerID", "Country"})
_MONEY = frozenset({"UnitPrice", "amount", "total"})
_COUNTS = frozenset(
    {"Quantity", "quantity", "line_count", "withdrawn_count", "invoice_count", "rows", "stored", "set_aside"}
)


@dataclass(frozen=True, slots=True)
class PagedResponse:
    """All pages of an invoice or a customer. `name` is the field that lists the entries: `lines` or `invoices`."""

    head: Entry
    name: str
    entries: list[Entry]

    def as_json(self) -> str:
        """The API's response with the entries of all pages, and without its page token."""
        head = {name: value for name, value in self.head.items() if name != "next_token"}
        return json.dumps({**head, self.name: self.entries})


async def fetch_invoice(api: Api, number: str, limit: int | None = None) -> PagedResponse:
    """An invoice with its first `limit` lines; None for all. Raises NotFound, or an ApiError."""
    return await _fetch_pages(api, f"invoices/{quote(number, safe='')}", "lines", {}, limit)


async def fetch_customer(api: Api, customer: str, limit: int | None = None) -> PagedResponse:
    """A customer with the first `limit` invoices; None for all. Raises NotFound, or an ApiError."""
    path = f"customers/{quote(customer, safe='')}"
    head = await api.get(path, {})
    pages = await _fetch_pages(api, f"{path}/invoices", "invoices", {"limit": str(_INVOICES_PER_PAGE)}, limit)
    return replace(pages, head=head)


async def _fetch_pages(api: Api, path: str, name: str, query: dict[str, str], limit: int | None) -> PagedResponse:
    page = head = await api.get(path, query)
    entries = list(_entries(page, name))
    while (token := page.get("next_token")) and (limit is None or len(entries) < limit):
        page = await api.get(path, query | {"next_token": str(token)})
        entries += _entries(page, name)
    return PagedResponse(head, name, entries[:limit])


def _entries(page: Entry, name: str) -> Iterator[Entry]:
    entries = page.get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UnexpectedResponse(f"The API's response has no list of {name}.")
    yield from cast("list[Entry]", entries)


def invoice_tables(response: PagedResponse) -> Group:
    """The invoice's head, its lines and its total, and the first of the lines that were taken back.

    Values that all lines share are in the head only.
    """
    head = response.head
    columns = [each for each in _LINES if each[0] not in _SAME_IN_MOST_LINES or _differs(each[0], response.entries)]
    withdrawn = list(_entries(head, "withdrawn")) if head.get("withdrawn_count") else []
    return Group(
        _title(f"Invoice {_shown(head, 'InvoiceNo')}"),
        _facts(head, (("dates", "date"), ("customers", "customer"), ("countries", "country"))),
        _table(columns, response.entries),
        _facts(head, (("line_count", "lines"), ("quantity", "quantity"), ("total", "total"))),
        *((_facts(head, (("withdrawn_count", "taken back"),)), _table(_WITHDRAWN, withdrawn)) if withdrawn else ()),
    )


def customer_tables(response: PagedResponse, limit: int | None = None) -> Group:
    """The customer with the latest `limit` invoices, the latest first; None for all."""
    head = response.head
    invoices = sorted(response.entries, key=_last_date, reverse=True)
    left_out = len(invoices[limit:]) if limit else 0
    return Group(
        _title(f"Customer {_shown(head, 'CustomerID')}"),
        _facts(head, (("countries", "country"), ("first_date", "first date"), ("last_date", "last date"))),
        _table(_INVOICES, invoices[:limit]),
        *([Text(f"… and {left_out:,} more: --limit 0 shows all")] if left_out else ()),
        _facts(
            head,
            (("invoice_count", "invoices"), ("line_count", "lines"), ("quantity", "quantity"), ("total", "total")),
        ),
    )


def _last_date(invoice: Entry) -> str:
    """Dates in ISO form are ordered as their text is. An invoice mostly has one."""
    dates = invoice.get("dates")
    return max(map(str, dates), default="") if isinstance(dates, list) else ""


def batch_tables(receipt: Entry) -> Group:
    return Group(
        _title(f"Batch {_shown(receipt, 'batch_id')}"),
        _facts(receipt, (("arrived_at", "arrived"), ("queryable_at", "queryable"))),
        _facts(receipt, (("rows", "rows"), ("stored", "stored"), ("set_aside", "set aside"))),
    )


def _title(text: str) -> Text:
    return Text(text, style="bold")


def _differs(name: str, entries: Iterable[Entry]) -> bool:
    return len({str(entry.get(name)) for entry in entries}) > 1


def _facts(head: Entry, columns: _Columns) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(justify="right" if any(name in _COUNTS for name, _ in columns) else "left")
    for name, title in columns:
        grid.add_row(title, Text(_shown(head, name), overflow="fold"))
    return grid


@dataclass(frozen=True, slots=True)
class _EntryTable:
    """A row for each entry. If the terminal is too narrow even for the longest words, a block of lines for each."""

    columns: _Columns
    rows: Sequence[Sequence[str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = self._table()
        unlimited = options.update_width(_NO_LIMIT)
        if Measurement.get(console, unlimited, table).minimum <= options.max_width:
            yield table
        else:
            yield from (Padding(self._block(row), (0, 0, 1, 0)) for row in self.rows)

    def _table(self) -> Table:
        table = Table()
        for name, title in self.columns:
            is_number = name in _MONEY or name in _COUNTS
            table.add_column(title, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
        for row in self.rows:
            table.add_row(*map(Text, row))
        return table

    def _block(self, row: Sequence[str]) -> Table:
        block = Table.grid(padding=(0, 2))
        for (_, title), text in zip(self.columns, row, strict=True):
            block.add_row(title, Text(text, overflow="fold"))
        return block


def _table(columns: _Columns, entries: Iterable[Entry]) -> _EntryTable:
    return _EntryTable(columns, [[_shown(entry, name) for name, _ in columns] for entry in entries])


def money(text: object) -> str:
    """`5391.21` as `5,391.21`, with as many decimals as the API gives. The text never becomes a float."""
    try:
        return f"{Decimal(text if isinstance(text, str) else ''):,f}"
    except InvalidOperation as error:
        raise UnexpectedResponse("The API's response has an amount that is not a decimal number in quotes.") from error


def _shown(entry: Entry, name: str) -> str:
    if name not in entry:
        raise UnexpectedResponse(f"The API's response does not say {name}.")
    value = entry[name]
    if name in _MONEY:
        return money(value)
    if name in _COUNTS:
        return _count(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _count(value: object) -> str:
    if type(value) is not int:
        raise UnexpectedResponse("The API's response has a count that is not a whole number.")
    return f"{value:,}"
