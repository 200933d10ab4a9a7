"""What the API answers: every invoice and every customer, lines and totals, asked with the client's own patience."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from itertools import groupby
from typing import Any

from chaos.accounting.evidence import Evidence, difference
from chaos.shop import Fact
from chaos.uploading import ADDRESS
from client.api import Api, open_api
from client.environment import Environment
from client.errors import ApiUnavailable, NotFound

_NO_INVOICE = "NOSUCHINVOICE"
_MOST_QUESTIONS = 20


class NeverAnswered(Exception):
    """However often the client was started, although most requests are answered."""


def check_answers(evidence: Evidence, environment: Environment) -> list[str]:
    return asyncio.run(_check(evidence.facts, environment))


async def _check(facts: Iterable[Fact], environment: Environment) -> list[str]:
    async with open_api(ADDRESS, environment, lambda: False) as api:
        invoices = [await _invoice(api, name, lines) for name, lines in _grouped(facts, _invoice_of).items()]
        customers = [await _customer(api, name, lines) for name, lines in _grouped(facts, _customer_of).items() if name]
        unknown = await _unknown(api)
    return [finding for findings in (*invoices, *customers, unknown) for finding in findings]


def _invoice_of(fact: Fact) -> str:
    return fact.invoice


def _customer_of(fact: Fact) -> str:
    return fact.customer or ""


def _grouped(facts: Iterable[Fact], name: Any) -> dict[str, list[Fact]]:
    return {key: list(group) for key, group in groupby(sorted(facts, key=name), name)}


async def _invoice(api: Api, name: str, facts: list[Fact]) -> list[str]:
    try:
        answer = await _asked(api, f"invoices/{name}")
    except NotFound:
        return [f"invoice {name} is not found"]
    told = [_told(name, line) for line in answer["lines"]]
    return [*difference(f"lines of invoice {name}", facts, told), *_totals(f"invoice {name}", answer, facts)]


async def _customer(api: Api, name: str, facts: list[Fact]) -> list[str]:
    try:
        answer = await _asked(api, f"customers/{name}")
    except NotFound:
        return [f"customer {name} is not found"]
    invoices = len({fact.invoice for fact in facts})
    wrong = [] if answer["invoice_count"] == invoices else [f"customer {name} has {invoices} invoices"]
    return [*wrong, *_totals(f"customer {name}", answer, facts)]


async def _unknown(api: Api) -> list[str]:
    try:
        await _asked(api, f"invoices/{_NO_INVOICE}")
    except NotFound:
        return []
    return ["an invoice that was never sent is found"]


async def _asked(api: Api, path: str) -> Mapping[str, Any]:
    """The client says honestly that it gives up; a user asks again."""
    for _ in range(_MOST_QUESTIONS):
        with suppress(ApiUnavailable):
            return await api.get(path, {})
    raise NeverAnswered(path)


def _totals(name: str, answer: Mapping[str, Any], facts: list[Fact]) -> list[str]:
    expected = (len(facts), sum(fact.quantity for fact in facts), sum((fact.amount for fact in facts), Decimal(0)))
    told = (answer["line_count"], answer["quantity"], Decimal(answer["total"]))
    return [] if expected == told else [f"{name}: (lines, quantity, total) is {told}, not {expected}"]


def _told(invoice: str, line: Mapping[str, Any]) -> Fact:
    return Fact(
        invoice=invoice,
        stock_code=line["StockCode"],
        description=line["Description"],
        quantity=line["Quantity"],
        date=line["InvoiceDate"],
        price=Decimal(line["UnitPrice"]),
        customer=line["CustomerID"],
        country=line["Country"],
    )
