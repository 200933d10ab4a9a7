"""The rows of one seed: a file made by rule, and what is true of each of its rows.

The truth is written down here in plain values and owes nothing to the code under test.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from random import Random

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")

MARK = "Qzx"
"""Stands in some text of every row, and must stand in no log."""

_FIRST_DATE = datetime(2010, 12, 1, 8, 26)  # noqa: DTZ001 - the data has no zone
_PRICES = ("0", "0.001", "0.42", "1.25", "2.5", "2.55", "4.95", "7.95", "16.95", "38970", "-11062.06")
_QUANTITIES = (1, 1, 2, 3, 6, 12, 48, 96, -1, -6, 80_995)
_COUNTRIES = ("United Kingdom", "United Kingdom", "France", "EIRE")
_NOTES = ("HEART T-LIGHT HOLDER", ' "RETRO" SPOT', "BAG, RED", "£ CARD ", "")


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of an invoice, in the values that the API has to answer with."""

    invoice: str
    stock_code: str
    description: str | None
    quantity: int
    date: str
    price: Decimal
    customer: str | None
    country: str

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class ShopRow:
    """A row's texts as the file has them. Either it is a `fact`, or `refused_for` names the field at fault.

    A row that is refused before it has fields is refused for the empty text.
    """

    texts: tuple[str, ...]
    fact: Fact | None
    refused_for: str | None = None


def shop_rows(chance: Random) -> list[ShopRow]:
    """Some dozens of rows; some are repeated word for word, some are no lines."""
    rows: list[ShopRow] = []
    for row in islice(_endless(chance), chance.randint(20, 80)):
        rows.append(_spoilt(row, chance) if chance.random() < 0.08 else row)  # noqa: PLR2004 - a share
        if chance.random() < 0.06:  # noqa: PLR2004 - a share
            rows.append(chance.choice(rows))
    return rows


def facts_of(rows: Iterable[ShopRow]) -> list[Fact]:
    return [row.fact for row in rows if row.fact]


def good_rows(chance: Random, most: int) -> list[ShopRow]:
    """Between one and `most` rows without a fault, for other producers than our client."""
    return list(islice(_endless(chance), chance.randint(1, most)))


def _endless(chance: Random) -> Iterator[ShopRow]:
    date = _FIRST_DATE
    while True:
        date += timedelta(minutes=chance.randint(0, 300))
        head = _head(chance, date)
        for _ in range(chance.randint(1, 9)):
            yield _row(head, chance)


def _head(chance: Random, date: datetime) -> Fact:
    """What the rows of an invoice share; few numbers, so that an invoice also comes back later in the file."""
    invoice = chance.choice(("", "", "", "C", "A")) + str(536_000 + chance.randint(1, 14))
    customer = chance.choice((None, "12347", "17850", "13047", "14911"))
    return Fact(invoice, "", None, 1, date.isoformat(), Decimal(0), customer, chance.choice(_COUNTRIES))


def _row(head: Fact, chance: Random) -> ShopRow:
    price = chance.choice(_PRICES)
    fact = replace(
        head,
        stock_code=f"{chance.randint(10_000, 10_030)}{MARK}",
        description=chance.choice(_NOTES) + f" {MARK}" if chance.random() < 0.9 else None,  # noqa: PLR2004 - a share
        quantity=chance.choice(_QUANTITIES),
        price=Decimal(price),
    )
    return ShopRow(_texts(fact, price, chance), fact)


def _texts(fact: Fact, price: str, chance: Random) -> tuple[str, ...]:
    """One of the ways in which a file may say it."""
    date = datetime.fromisoformat(fact.date)
    us_date = f"{date.month}/{date.day}/{date.year} {date.hour}:{date.minute:02}"
    customer = fact.customer or ""
    return (
        fact.invoice,
        fact.stock_code,
        fact.description or "",
        str(fact.quantity),
        chance.choice((us_date, us_date, fact.date)),
        chance.choice((price, price, price + "0")) if "." in price else price,
        chance.choice((customer, f"{customer}.0")) if customer else "",
        fact.country,
    )


def _spoilt(row: ShopRow, chance: Random) -> ShopRow:
    if chance.random() < 0.2:  # noqa: PLR2004 - a share
        return ShopRow(row.texts[:-1], None, "")
    field, text = chance.choice(_FAULTS)
    place = COLUMNS.index(field)
    return ShopRow((*row.texts[:place], text, *row.texts[place + 1 :]), None, field)


_FAULTS = (
    ("InvoiceNo", ""),
    ("InvoiceNo", f"{MARK} 1"),
    ("StockCode", ""),
    ("Quantity", f"six{MARK}"),
    ("Quantity", "1.5"),
    ("Quantity", ""),
    ("InvoiceDate", "13/32/2010 8:26"),
    ("InvoiceDate", f"{MARK}"),
    ("UnitPrice", "1,5"),
    ("UnitPrice", "NaN"),
    ("UnitPrice", "0.1234567"),
    ("CustomerID", f"{MARK}#1"),
    ("Country", ""),
    ("Country", f"{MARK}" * 30),
)
