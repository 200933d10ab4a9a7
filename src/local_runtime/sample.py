"""A CSV like the Online Retail data set: the same number of rows always gives the same bytes.

It has every oddity of the real data in similar proportions: rows without a customer or a description; spaces, quotes,
commas and pound signs in descriptions; cancellations, bad debts; free, negative and extreme prices; repeated rows and
repeated stock codes; an invoice of more than a thousand lines, and a customer with hundreds of invoices.
"""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import count, islice, product
from pathlib import Path
from random import Random
from typing import NamedTuple

from invoices.line import CONTENT_FIELDS
from local_runtime.errors import RunError

DEFAULT_ROWS = 20_000
ENCODING = "cp1252"

_SEED = 2_026
_FIRST_INVOICE = 700_000
_FIRST_DATE = datetime(2010, 12, 1, 8, 26)  # noqa: DTZ001 - the data has no time zone
_CLOSING_HOUR, _HOURS_CLOSED = 20, 12

_FIRST_CUSTOMER = 20_001
_CUSTOMERS = 4_000
_BUSY_CUSTOMER = 9_998
_BUSY_INVOICES = 248
_LONGEST_INVOICE_LINES = 1_114
_AVERAGE_LINES = 26
_MOST_LINES = 400

# The shares of the real data.
_BUSY = 0.25
_CANCELLATION = 0.14
_ADJUSTMENT = 0.07
_NO_CUSTOMER = 0.24
_EXTRA = 0.006
_REPEATED_ROW = 0.011
_REPEATED_CODE = 0.011

# Rare invoices come at fixed numbers, so that a small file has each of them.
_LONG_AT = 60
_LONG_EVERY, _DEBT_EVERY, _EXTREME_EVERY, _FINE_PRICE_EVERY, _TWO_DATES_EVERY = 20_000, 8_000, 12_000, 6_000, 500

_EXTREME_QUANTITY = 80_995
_EXTREME_PRICE = "38970"
_DEBT_PRICE = "11062.06"
_FINE_PRICE = "0.001"

_HOME = "United Kingdom"
_ABROAD = ("Ireland", "Norway", "Portugal", "Austria", "Malta", "New Zealand", "Unspecified", "Canary Islands")
_ABROAD_EVERY = 11
_TWO_COUNTRIES_EVERY = 500

_PRODUCTS = 2_000
_FIRST_CODE = 31_003
_CODE_STEP = 7
_COLOURS = ("AMBER", "BLUE", "CORAL", "DENIM", "EMERALD", "FAWN", "GREY", "IVORY", "JADE", "LILAC")
_STYLES = ("STRIPED", "DOTTED", "WOVEN", "ENAMEL", "PAPER", "FOLDING", "TALL", "POCKET", "GLAZED", "KNOTTED")
_THINGS = (
    *("BREAD BIN", "CANDLE TRAY", "DOOR STOP", "EGG BASKET", "FRUIT BOWL", "GARDEN LANTERN", "HAND MIRROR"),
    *("JAM POT", "KITCHEN CLOCK", "LETTER RACK", "MILK JUG", "NOTEBOOK", "OVEN GLOVE", "PEN CASE", "QUILT"),
    *("RIBBON SET", "SEWING TIN", "TEA COSY", "UMBRELLA", "WALL HOOK"),
)


def write_sample(path: Path, rows: int = DEFAULT_ROWS) -> None:
    """Any number of rows needs the same memory. Raises RunError if the file cannot be written."""
    try:
        with path.open("w", encoding=ENCODING, newline="") as file:
            writer = csv.writer(file, lineterminator="\r\n")
            writer.writerow(CONTENT_FIELDS)
            writer.writerows(islice(_rows(), rows))
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror}") from error


def _rows() -> Iterator["_Row"]:
    """Endless."""
    generator = _InvoiceGenerator(Random(_SEED))  # noqa: S311 - no secret: it must be the same each time
    for number in count(1):
        yield from generator.invoice(number)


class _Product(NamedTuple):
    """`pence` is the price in hundredths."""

    code: str
    description: str
    pence: int


_POSTAGE = _Product("POST", "POSTAGE AND PACKING", 1_800)
_DISCOUNT = _Product("D", "Discount", 2_750)
_MANUAL = _Product("M", "Entered by hand", 1_200)
_BANK_CHARGES = _Product("BANK CHARGES", "Charges of the bank", 1_500)
_VOUCHER = _Product("gift_0001_40", "Voucher worth £40", 3_333)
_EXTRAS = (_POSTAGE, _MANUAL, _BANK_CHARGES, _VOUCHER)


class _Row(NamedTuple):
    """In the order of CONTENT_FIELDS, as the CSV's text."""

    invoice_no: str
    stock_code: str
    description: str
    quantity: int
    date: str
    price: str
    customer: str
    country: str


class _Head(NamedTuple):
    """What an invoice's rows share."""

    invoice_no: str
    date: datetime
    customer: str
    country: str

    def row(self, goods: _Product, quantity: int, price: str | None = None) -> _Row:
        shared = _date_text(self.date), price or _price_text(goods.pence), self.customer, self.country
        return _Row(self.invoice_no, goods.code, goods.description, quantity, *shared)


class _InvoiceGenerator:
    """Time passes from invoice to invoice, and one customer comes very often."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._goods = _catalogue()
        self._date = _FIRST_DATE
        self._busy_invoices = 0

    def invoice(self, number: int) -> Iterable[_Row]:
        """Rare kinds depend on the number, the others on chance."""
        self._advance_date()
        if number % _LONG_EVERY == _LONG_AT:
            return self._lines(self._anonymous(number), _LONGEST_INVOICE_LINES)
        if number % _DEBT_EVERY in {30, 31}:
            return self._bad_debt(number)
        if number % _EXTREME_EVERY in {40, 41, 45}:
            return self._extreme(number)
        return self._common(number)

    def _common(self, number: int) -> Iterable[_Row]:
        chance = self._random.random()
        if chance < _CANCELLATION:
            return self._cancellation(number)
        if chance < _CANCELLATION + _ADJUSTMENT:
            return self._adjustment(number)
        if chance < _CANCELLATION + _ADJUSTMENT + _BUSY and self._busy_invoices < _BUSY_INVOICES:
            return self._busy(number)
        lines = 1 + min(_MOST_LINES, int(self._random.expovariate(1 / _AVERAGE_LINES)))
        return self._with_oddities(number, self._lines(self._head(number), lines))

    def _lines(self, head: _Head, lines: int) -> Iterator[_Row]:
        for goods in self._random.sample(self._goods, lines):
            extra = self._random.choice(_EXTRAS) if self._random.random() < _EXTRA else None
            row = head.row(extra or goods, self._quantity())
            yield row
            chance = self._random.random()
            if chance < _REPEATED_ROW:
                yield row
            elif chance < _REPEATED_ROW + _REPEATED_CODE:
                yield row._replace(quantity=row.quantity + 1)

    def _with_oddities(self, number: int, rows: Iterator[_Row]) -> Iterator[_Row]:
        """In some invoices every other row has a second date; in others one price has more than two decimals."""
        has_odd_price, has_two_dates = number % _FINE_PRICE_EVERY in {20, 21}, number % _TWO_DATES_EVERY in {10, 11}
        for index, row in enumerate(rows):
            if has_odd_price and index == 0:
                yield row._replace(price=_FINE_PRICE)
            elif has_two_dates and index % 2:
                yield row._replace(date=_date_text(self._date + timedelta(minutes=1)))
            else:
                yield row

    def _cancellation(self, number: int) -> Iterator[_Row]:
        head = self._head(number, "C")
        for _ in range(self._random.randint(1, 4)):
            goods = _DISCOUNT if self._random.random() < _EXTRA else self._random.choice(self._goods)
            yield head.row(goods, -self._quantity())

    def _adjustment(self, number: int) -> Iterator[_Row]:
        """Goods that were broken or found: no price, no customer, in most cases no description."""
        note = self._random.choice(("", "", "", "", "broken on the way"))
        goods = self._random.choice(self._goods)._replace(description=note)
        quantity = self._random.randint(1, 60) * self._random.choice((-1, -1, -1, 1))
        yield self._anonymous(number).row(goods, quantity, "0")

    def _bad_debt(self, number: int) -> Iterator[_Row]:
        goods = _Product("B", "Written off", 0)
        sign = "-" if number % 2 else ""
        yield self._anonymous(number, "A").row(goods, 1, sign + _DEBT_PRICE)

    def _extreme(self, number: int) -> Iterator[_Row]:
        """A huge order, its cancellation, and a huge price."""
        head = self._head(number, "C" if number % _EXTREME_EVERY == 41 else "")  # noqa: PLR2004 - the second of three
        match number % _EXTREME_EVERY:
            case 40:
                yield head.row(self._goods[0], _EXTREME_QUANTITY)
            case 41:
                yield head.row(self._goods[0], -_EXTREME_QUANTITY)
            case _:
                yield head.row(_MANUAL, 1, _EXTREME_PRICE)

    def _busy(self, number: int) -> Iterator[_Row]:
        self._busy_invoices += 1
        head = _Head(_invoice_no(number), self._date, _customer_id(_BUSY_CUSTOMER), _HOME)
        return self._lines(head, self._random.randint(1, 4))

    def _head(self, number: int, prefix: str = "") -> _Head:
        """Some customers come far more often than others. A cancellation always has a customer."""
        if not prefix and self._random.random() < _NO_CUSTOMER:
            return self._anonymous(number)
        customer = int(_CUSTOMERS * self._random.random() ** 2)
        return _Head(_invoice_no(number, prefix), self._date, _customer_id(customer), _country(customer, number))

    def _anonymous(self, number: int, prefix: str = "") -> _Head:
        return _Head(_invoice_no(number, prefix), self._date, "", _HOME)

    def _quantity(self) -> int:
        return self._random.choice((1, 1, 2, 2, 3, 4, 6, 6, 8, 10, 12, 12, 24, 48, 96))

    def _advance_date(self) -> None:
        self._date += timedelta(minutes=self._random.randint(1, 25))
        if self._date.hour >= _CLOSING_HOUR:
            self._date += timedelta(hours=_HOURS_CLOSED)


def _catalogue() -> list[_Product]:
    names = islice(product(_THINGS, _COLOURS, _STYLES), _PRODUCTS)
    return [
        _Product(_code(number), _description(number, f"{colour} {style} {thing}"), 25 + number * 37 % 1_270)
        for number, (thing, colour, style) in enumerate(names)
    ]


def _code(number: int) -> str:
    digits = str(_FIRST_CODE + number * _CODE_STEP)
    if number % 5 == 1:
        return digits + "ABCDEFG"[number % 7]
    return digits + "bc"[number % 2] if number % 40 == 2 else digits  # noqa: PLR2004 - one code in forty


def _description(number: int, name: str) -> str:
    """Some with a quote or a comma, a few with a pound sign, and one in five with spaces around it."""
    match number % 300:
        case 11 | 111:
            name = f'{name} "HOME"'
        case 57 | 157:
            name = f"{name}, SET OF {number % 5 + 2}"
        case 77:
            name = f"{name} £{number % 9 + 1} OFF"
    match number % 20:
        case 3 | 9 | 16:
            return f"{name} "
        case 7:
            return f" {name}"
        case _:
            return name


def _customer_id(number: int) -> str:
    return str(_FIRST_CUSTOMER + number)


def _country(customer: int, visit: int) -> str:
    """Most customers live at home. A few order from two countries."""
    if customer % _TWO_COUNTRIES_EVERY == 0 and visit % 2:
        return _ABROAD[customer // _TWO_COUNTRIES_EVERY % len(_ABROAD)]
    return _ABROAD[customer % len(_ABROAD)] if customer % _ABROAD_EVERY == 1 else _HOME


def _invoice_no(number: int, prefix: str = "") -> str:
    return f"{prefix}{_FIRST_INVOICE + number}"


def _date_text(date: datetime) -> str:
    return f"{date.month}/{date.day}/{date.year} {date.hour}:{date.minute:02}"


def _price_text(pence: int) -> str:
    """As a spreadsheet writes it: `2.5`, not `2.50`."""
    return f"{pence // 100}.{pence % 100:02}".rstrip("0").rstrip(".")
