"""The rows of one seed: a generated file, and what is true of each of its rows.

The truth stands here in plain values and uses nothing of the code under test.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from random import Random

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")

MARK = "Qzx"
"""Stands in some text of every row, and must stand in no log record."""

_FIRST_DATE = datetime(2010, 12, 1, 8, 26)  # noqa: DTZ001 - the data has no zone
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_PRICES = ("0", "0.001", "0.42", "1.25", "2.5", "2.55", "4.95", "7.95", "16.95", "38970", "-11062.06")
_QUANTITIES = (1, 1, 2, 3, 6, 12, 48, 96, -1, -6, 80_995)
_COUNTRIES = ("United Kingdom", "United Kingdom", "France", "EIRE")
_NOTES = ("HEART T-LIGHT HOLDER", ' "RETRO" SPOT', "BAG, RED", "£ CARD ", "")
_CORRUPTIONS = (
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


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of an invoice, in the values that the API must answer with."""

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
class GeneratedRow:
    """A row's texts as the file has them. Either it has a `fact`, or `rejected_for` names the field at fault.

    A row with too few fields is rejected for the empty text.
    """

    texts: tuple[str, ...]
    fact: Fact | None
    rejected_for: str | None = None


def generated_rows(chance: Random) -> list[GeneratedRow]:
    """Some dozens of rows. Some are repeated word for word, some are invalid."""
    rows: list[GeneratedRow] = []
    for row in islice(_endless(chance), chance.randint(20, 80)):
        rows.append(_corrupt(row, chance) if chance.random() < 0.08 else row)  # noqa: PLR2004 - a share
        if chance.random() < 0.06:  # noqa: PLR2004 - a share
            rows.append(chance.choice(rows))
    return rows


def valid_rows(chance: Random, most: int) -> list[GeneratedRow]:
    """Between one and `most` valid rows."""
    return list(islice(_endless(chance), chance.randint(1, most)))


@dataclass(frozen=True, slots=True)
class Statement:
    """What a row says about the n-th row of the file that has this fact, n being its `occurrence`."""

    fact: Fact
    occurrence: int
    as_of: datetime | None
    withdrawn: bool


def held_facts(facts: Iterable[Fact], statements: Iterable[Statement]) -> list[Fact]:
    """The facts that hold: of the statements about one the latest, none being the weakest, then the withdrawal."""
    held = dict.fromkeys(numbered_facts(facts), (_LONG_AGO, False))
    for each in statements:
        numbered = each.fact, each.occurrence
        held[numbered] = max(held.get(numbered, (_LONG_AGO, False)), (each.as_of or _LONG_AGO, each.withdrawn))
    return [fact for (fact, _), (_, withdrawn) in held.items() if not withdrawn]


def numbered_facts(facts: Iterable[Fact]) -> list[tuple[Fact, int]]:
    """Each with its number among the equal facts."""
    seen: Counter[Fact] = Counter()
    numbered = []
    for fact in facts:
        seen[fact] += 1
        numbered.append((fact, seen[fact]))
    return numbered


def facts_of(rows: Iterable[GeneratedRow]) -> list[Fact]:
    return [row.fact for row in rows if row.fact]


def _endless(chance: Random) -> Iterator[GeneratedRow]:
    date = _FIRST_DATE
    while True:
        date += timedelta(minutes=chance.randint(0, 300))
        head = _invoice_head(chance, date)
        for _ in range(chance.randint(1, 9)):
            yield _row(head, chance)


def _invoice_head(chance: Random, date: datetime) -> Fact:
    """What the rows of an invoice share. There are few numbers, so an invoice also comes back later in the file."""
    invoice = chance.choice(("", "", "", "C", "A")) + str(536_000 + chance.randint(1, 14))
    customer = chance.choice((None, "12347", "17850", "13047", "14911"))
    return Fact(invoice, "", None, 1, date.isoformat(), Decimal(0), customer, chance.choice(_COUNTRIES))


def _row(head: Fact, chance: Random) -> GeneratedRow:
    price = chance.choice(_PRICES)
    fact = replace(
        head,
        stock_code=f"{chance.randint(10_000, 10_030)}{MARK}",
        description=chance.choice(_NOTES) + f" {MARK}" if chance.random() < 0.9 else None,  # noqa: PLR2004 - a share
        quantity=chance.choice(_QUANTITIES),
        price=Decimal(price),
    )
    return GeneratedRow(_texts(fact, price, chance), fact)


def _texts(fact: Fact, price: str, chance: Random) -> tuple[str, ...]:
    """One of the ways in which a file can write the fact."""
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


def _corrupt(row: GeneratedRow, chance: Random) -> GeneratedRow:
    if chance.random() < 0.2:  # noqa: PLR2004 - a share
        return GeneratedRow(row.texts[:-1], None, "")
    field, text = chance.choice(_CORRUPTIONS)
    column = COLUMNS.index(field)
    return GeneratedRow((*row.texts[:column], text, *row.texts[column + 1 :]), None, field)
