"""The rows of one seed: a generated file, and what is true of each of its rows.

The truth stands here in plain values and uses nothing of the code under test.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from random import Random
from typing import Any, NamedTuple

MARK = "Qzx"
"""Stands in some text of every row, and must stand in no log record."""

_FIRST_DATE = datetime(2010, 12, 1, 8, 26)  # noqa: DTZ001 - the data has no zone
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_PRICES = ("0", "0.001", "0.42", "1.25", "2.5", "2.55", "4.95", "7.95", "16.95", "38970", "-11062.06")
_QUANTITIES = (1, 1, 2, 3, 6, 12, 48, 96, -1, -6, 80_995)
CUSTOMERS = ("12347", "17850", "13047", "14911")
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


class Fact(NamedTuple):
    """One line of an invoice, in the values that the API must answer with, under the names of the file's columns."""

    InvoiceNo: str
    StockCode: str
    Description: str | None
    Quantity: int
    InvoiceDate: str
    UnitPrice: Decimal
    CustomerID: str | None
    Country: str

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Fact":
        """What a line says, wherever it was read. A missing name means None, and a price may be text."""
        fact = cls._make(values.get(name) for name in COLUMNS)
        return fact._replace(UnitPrice=Decimal(fact.UnitPrice))

    @property
    def amount(self) -> Decimal:
        return self.Quantity * self.UnitPrice


COLUMNS = Fact._fields


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
    """What a row says about a line.

    `place` tells the line from others with the same fact: in the file its number, in another batch key and number.
    """

    fact: Fact
    place: object
    as_of: datetime | None = None
    withdrawn: bool = False

    @property
    def strength(self) -> tuple[datetime, bool]:
        return self.as_of or _LONG_AGO, self.withdrawn


def held_facts(statements: Iterable[Statement]) -> list[Fact]:
    """The facts that hold: of the statements about a line the latest, none being the weakest, then the withdrawal."""
    held: dict[tuple[Fact, object], Statement] = {}
    for each in statements:
        line = each.fact, each.place
        held[line] = max(held.get(line, each), each, key=lambda statement: statement.strength)
    return [each.fact for each in held.values() if not each.withdrawn]


def statements_of(rows: Iterable[GeneratedRow], batch: str | None = None) -> list[Statement]:
    """What the valid rows of a file say, or of a batch whose rows have no Occurrence, each with its number."""
    seen: Counter[Fact] = Counter()
    statements = []
    for fact in (row.fact for row in rows if row.fact):
        seen[fact] += 1
        statements.append(Statement(fact, (batch, seen[fact]) if batch else seen[fact]))
    return statements


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
    customer = chance.choice((None, *CUSTOMERS))
    return Fact(invoice, "", None, 1, date.isoformat(), Decimal(0), customer, chance.choice(_COUNTRIES))


def _row(head: Fact, chance: Random) -> GeneratedRow:
    price = chance.choice(_PRICES)
    fact = head._replace(
        StockCode=f"{chance.randint(10_000, 10_030)}{MARK}",
        Description=chance.choice(_NOTES) + f" {MARK}" if chance.random() < 0.9 else None,  # noqa: PLR2004 - a share
        Quantity=chance.choice(_QUANTITIES),
        UnitPrice=Decimal(price),
    )
    return GeneratedRow(_texts(fact, price, chance), fact)


def _texts(fact: Fact, price: str, chance: Random) -> tuple[str, ...]:
    """One of the ways in which a file can write the fact."""
    date = datetime.fromisoformat(fact.InvoiceDate)
    us_date = f"{date.month}/{date.day}/{date.year} {date.hour}:{date.minute:02}"
    customer = fact.CustomerID or ""
    return (
        fact.InvoiceNo,
        fact.StockCode,
        fact.Description or "",
        str(fact.Quantity),
        chance.choice((us_date, us_date, fact.InvoiceDate)),
        chance.choice((price, price, price + "0")) if "." in price else price,
        chance.choice((customer, f"{customer}.0")) if customer else "",
        fact.Country,
    )


def _corrupt(row: GeneratedRow, chance: Random) -> GeneratedRow:
    if chance.random() < 0.2:  # noqa: PLR2004 - a share
        return GeneratedRow(row.texts[:-1], None, "")
    field, text = chance.choice(_CORRUPTIONS)
    column = COLUMNS.index(field)
    return GeneratedRow((*row.texts[:column], text, *row.texts[column + 1 :]), None, field)
