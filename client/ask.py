"""The questions to the API, with all pages of their answers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias, cast
from urllib.parse import quote

from client.api import Api
from client.failures import StrangeAnswer

Entry: TypeAlias = dict[str, object]

_INVOICES_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """`head` says what is true of the whole; `entries` are its lines or its invoices, from all pages."""

    head: Entry
    entries: list[Entry]


async def ask_invoice(api: Api, number: str) -> Answer:
    """An invoice with all its lines. Raises NoSuchEntry, or an ApiFailure."""
    return await _all_pages(api, f"invoices/{quote(number, safe='')}", "lines", {})


async def ask_customer(api: Api, customer: str) -> Answer:
    """A customer with all invoices. Raises NoSuchEntry, or an ApiFailure."""
    path = f"customers/{quote(customer, safe='')}"
    head = await api.get(path, {})
    pages = await _all_pages(api, f"{path}/invoices", "invoices", {"limit": str(_INVOICES_PER_PAGE)})
    return replace(pages, head=head)


async def _all_pages(api: Api, path: str, name: str, query: dict[str, str]) -> Answer:
    page = head = await api.get(path, query)
    entries = list(_entries(page, name))
    while token := page.get("next_token"):
        page = await api.get(path, query | {"next_token": str(token)})
        entries += _entries(page, name)
    return Answer(head, entries)


def _entries(page: Entry, name: str) -> Iterator[Entry]:
    entries = page.get(name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise StrangeAnswer(f"The API's answer has no list of {name}.")
    yield from cast("list[Entry]", entries)
